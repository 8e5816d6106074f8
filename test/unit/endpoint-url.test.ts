import { describe, expect, it } from "vitest";

import { urlFault } from "../../src/delivery/registry/endpoint-url.ts";

const PUBLIC = { isLocalAllowed: false };
const LOCAL = { isLocalAllowed: true };

/* The faults, each with the addresses that have it. */
const UNSEEN = "must not contain white space, control characters or backslashes";
const RELATIVE = "must be an absolute URL";
const HOSTLESS = "must be an absolute URL with a host";
const SECRET = "must not contain credentials";
const SCHEME = "must use https";
const PORT = "must use port 443 or one from 1024 on";
const ADDRESS = "must name a host, not an IP address";
const STOP = "must not end the host with a full stop";
const LABEL = "must name a public host, not a single label";
const PRIVATE = "must name a public host";
const LONG = "must name a host that DNS can know";

describe("where webhooks may go", () => {
  it.each([
    "https://hooks.example.com/in",
    "https://hooks.example.com:443/in?x=1#y",
    "https://hooks.example.com:8443/",
    "https://hooks.example.com:1024/",
    "https://hooks.example.com:65535/",
    "HTTPS://Hooks.Example.COM",
    "https://xn--bcher-kva.example/",
    "https://bücher.example/",
    "https://ｈｏｏｋｓ.example.com/",
    "https://localhost.example.com/",
    "https://internal.example.com/",
    "https://notlocal.example/",
    `https://${"a".repeat(63)}.example/`,
    // What such a name stands for is found out by looking it up (host-check.test.ts).
    "https://127.0.0.1.example.com/",
    "https://10.0.0.1.nip.io/",
  ])("takes %s", (url) => {
    expect(urlFault(url, PUBLIC)).toBeNull();
  });

  it.each([
    ["http", "http://hooks.example.com/", SCHEME],
    ["ftp", "ftp://hooks.example.com/", SCHEME],
    ["a web socket", "wss://hooks.example.com/", SCHEME],
    ["gopher", "gopher://hooks.example.com/", SCHEME],
    ["a script", "javascript:alert(1)", SCHEME],
    ["data", "data:text/plain,hello", SCHEME],
    ["a file", "file:///etc/passwd", SCHEME],
    ["a blob", "blob:https://hooks.example.com/1", SCHEME],
    ["mail", "mailto:ops@example.com", SCHEME],
    ["no scheme", "hooks.example.com/in", RELATIVE],
    ["a relative path", "/in", RELATIVE],
    ["a relative scheme", "//hooks.example.com/in", RELATIVE],
    ["nothing", "", RELATIVE],
    ["an empty host", "https://", RELATIVE],
    ["an empty host with a port", "https://:443/", RELATIVE],
    ["an empty host and a path", "https:///hooks.example.com/", HOSTLESS],
    ["no slashes", "https:hooks.example.com/in", HOSTLESS],
    ["one slash", "https:/hooks.example.com/in", HOSTLESS],
    ["an impossible port", "https://hooks.example.com:70000/", RELATIVE],
    ["a port in words", "https://hooks.example.com:https/", RELATIVE],
    ["an impossible address", "https://256.256.256.256/", RELATIVE],
    ["a host that ends in a number", "https://hooks.1/", RELATIVE],
    ["a percent sign in the host", "https://hooks%00.example.com/", RELATIVE],
    ["a forbidden character in the host", "https://hooks^.example.com/", RELATIVE],
    ["a user", "https://user@hooks.example.com/", SECRET],
    ["a user and a password", "https://user:secret@hooks.example.com/", SECRET],
    ["a password alone", "https://:secret@hooks.example.com/", SECRET],
    ["a host that looks like a user", "https://hooks.example.com@127.0.0.1/", SECRET],
    ["a low port", "https://hooks.example.com:22/", PORT],
    ["the port of http", "https://hooks.example.com:80/", PORT],
    ["the port of mail", "https://hooks.example.com:25/", PORT],
    ["the port below 1024", "https://hooks.example.com:1023/", PORT],
    ["port 0", "https://hooks.example.com:0/", PORT],
    ["loopback", "https://127.0.0.1/", ADDRESS],
    ["loopback with a port", "https://127.0.0.1:8787/", ADDRESS],
    ["short loopback", "https://127.1/", ADDRESS],
    ["decimal loopback", "https://2130706433/", ADDRESS],
    ["hexadecimal loopback", "https://0x7f000001/", ADDRESS],
    ["octal loopback", "https://0177.0.0.1/", ADDRESS],
    ["long octal loopback", "https://00000000177.0.0.1/", ADDRESS],
    ["octal loopback in one", "https://017700000001/", ADDRESS],
    ["mixed loopback", "https://0x7f.1/", ADDRESS],
    ["full-width loopback", "https://１２７.０.０.１/", ADDRESS],
    ["loopback with ideographic full stops", "https://127。0。0。1/", ADDRESS],
    ["loopback in circled digits", "https://①②⑦.⓪.⓪.①/", ADDRESS],
    ["percent-encoded loopback", "https://%31%32%37.0.0.1/", ADDRESS],
    ["loopback with a full stop", "https://127.0.0.1./", ADDRESS],
    ["a private address", "https://10.0.0.1/", ADDRESS],
    ["a private address in decimal", "https://167772161/", ADDRESS],
    ["the metadata address", "https://169.254.169.254/latest/meta-data", ADDRESS],
    ["the metadata address in hexadecimal", "https://0xa9fea9fe/", ADDRESS],
    ["a shared address", "https://100.64.0.1/", ADDRESS],
    ["a public address", "https://8.8.8.8/", ADDRESS],
    ["the unspecified address", "https://0.0.0.0/", ADDRESS],
    ["zero", "https://0/", ADDRESS],
    ["IPv6 loopback", "https://[::1]/", ADDRESS],
    ["long IPv6 loopback", "https://[0:0:0:0:0:0:0:1]/", ADDRESS],
    ["an IPv4-mapped address", "https://[::ffff:127.0.0.1]/", ADDRESS],
    ["an IPv4-mapped address in hexadecimal", "https://[::ffff:7f00:1]/", ADDRESS],
    ["NAT64", "https://[64:ff9b::7f00:1]/", ADDRESS],
    ["a unique local address", "https://[fd00::1]/", ADDRESS],
    ["a link-local address", "https://[fe80::1]/", ADDRESS],
    ["a public IPv6 address", "https://[2606:4700::1111]/", ADDRESS],
    ["an IPv6 address with a zone", "https://[fe80::1%25eth0]/", RELATIVE],
    ["localhost", "https://localhost/", LABEL],
    ["localhost in capitals", "https://LOCALHOST/", LABEL],
    ["localhost, percent-encoded", "https://%6cocalhost/", LABEL],
    ["full-width localhost", "https://ｌｏｃａｌｈｏｓｔ/", LABEL],
    ["a single label", "https://intranet/", LABEL],
    ["localhost with a full stop", "https://localhost./", STOP],
    ["a trailing full stop", "https://hooks.example.com./", STOP],
    ["two trailing full stops", "https://hooks.example.com../", STOP],
    ["an .internal name with a full stop", "https://metadata.google.internal./", STOP],
    ["a name below localhost", "https://app.localhost/", PRIVATE],
    ["localhost with a domain", "https://localhost.localhost/", PRIVATE],
    ["a .local name", "https://printer.local/", PRIVATE],
    ["an .internal name", "https://metadata.google.internal/", PRIVATE],
    ["an .INTERNAL name", "https://METADATA.GOOGLE.INTERNAL/", PRIVATE],
    ["a home name", "https://nas.home.arpa/", PRIVATE],
    ["a label of 64", `https://${"a".repeat(64)}.example/`, LONG],
    ["a host of 300", `https://${"a.".repeat(150)}example/`, LONG],
    ["an empty label", "https://hooks..example.com/", LONG],
    ["a backslash", String.raw`https:\\hooks.example.com\in`, UNSEEN],
    ["a backslash before a user", String.raw`https://hooks.example.com\@127.0.0.1/`, UNSEEN],
    ["a line break", "https://hooks.exam\nple.com/", UNSEEN],
    ["a carriage return", "https://hooks.example.com/\r\nhost:x", UNSEEN],
    ["a space in front", " https://hooks.example.com/", UNSEEN],
    ["a tab", "ht\ttps://hooks.example.com/", UNSEEN],
    ["a NUL behind", "https://hooks.example.com/\u0000", UNSEEN],
    ["a control character in front", "\u0001https://hooks.example.com/", UNSEEN],
    ["a soft hyphen", "https://local\u00ADhost/", UNSEEN],
    ["a zero-width space", "https://hooks\u200B.example.com/", UNSEEN],
    ["a turn of the writing direction", "https://hooks.example.com/\u202Efdp", UNSEEN],
    ["a no-break space", "https://hooks.example.com/\u00A0", UNSEEN],
  ])("refuses %s: %s", (_what, url, fault) => {
    expect(urlFault(url, PUBLIC)).toBe(fault);
  });

  it.each([
    "http://127.0.0.1:4000/in",
    "http://localhost:80/",
    "https://[::1]:9000/",
    "http://receiver/",
  ])("takes %s on a developer's machine", (url) => {
    expect(urlFault(url, LOCAL)).toBeNull();
  });

  it.each([
    "ftp://localhost/",
    "http://user:secret@localhost/",
    "nothing",
    "http://a b/",
    "http:localhost/",
    "http://localhost/\u0000",
  ])("refuses %j even on a developer's machine", (url) => {
    expect(urlFault(url, LOCAL)).toEqual(expect.any(String));
  });
});

describe("our own address", () => {
  const OWN = "must not be Batuta's own";

  it.each([
    ["https://batuta.example.com/v1/tasks", OWN],
    ["https://batuta.example.com:8443/", OWN],
    ["https://batuta.acme.workers.dev/", OWN],
    ["https://shop.example.com/", null],
  ])("is known by what the installation says: %s", (url, fault) => {
    const ownOrigins = ["https://batuta.example.com", "https://batuta.acme.workers.dev"];

    expect(urlFault(url, { ...PUBLIC, ownOrigins })).toBe(fault);
    expect(urlFault(url, { ...PUBLIC, ownOrigins, ownOrigin: "https://other.example.com" })).toBe(
      fault,
    );
  });

  it.each([
    "http://127.0.0.1:8787/v1/tasks",
    "http://127.0.0.1:8787",
    "http://localhost:8787/",
    "http://LOCALHOST.:8787/",
    "http://app.localhost:8787/",
    "http://127.9.9.9:8787/",
    "http://2130706433:8787/",
    "http://0.0.0.0:8787/",
    "http://[::1]:8787/",
    "http://[::]:8787/",
    "http://[::ffff:127.0.0.1]:8787/",
    "https://127.0.0.1:8787/",
  ])("is %s for a server on 127.0.0.1:8787", (url) => {
    expect(urlFault(url, { ...LOCAL, ownOrigin: "http://127.0.0.1:8787" })).toBe(OWN);
  });

  it.each([
    "http://169.254.169.254/latest/meta-data",
    "http://0xa9fea9fe/",
    "https://[::ffff:169.254.169.254]/",
    "http://[fe80::1]:8787/",
  ])("never is %s, wherever it runs", (url) => {
    expect(urlFault(url, LOCAL)).not.toBeNull();
    expect(urlFault(url, PUBLIC)).not.toBeNull();
  });

  it.each([
    "http://127.0.0.1:8788/",
    "http://localhost/",
    "http://10.0.0.5:8787/",
    "http://[::2]:8787/",
    "http://receiver:8787/",
  ])("is not %s", (url) => {
    expect(urlFault(url, { ...LOCAL, ownOrigin: "http://127.0.0.1:8787" })).toBeNull();
  });

  it.each([
    ["https://batuta.example.com/v1/webhooks", OWN],
    ["https://BATUTA.example.com:8443/", OWN],
    ["https://batuta.example.com.evil.example/", null],
    ["https://hooks.example.com/", null],
  ])("in production is the host on every port: %s", (url, fault) => {
    expect(urlFault(url, { ...PUBLIC, ownOrigin: "https://batuta.example.com" })).toBe(fault);
  });
});
