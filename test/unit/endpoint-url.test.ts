import { describe, expect, it } from "vitest";

import { urlFault } from "../../src/delivery/registry/endpoint-url.ts";

const PUBLIC = { isLocalAllowed: false };
const LOCAL = { isLocalAllowed: true };

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
    "https://localhost.example.com/",
    "https://internal.example.com/",
    "https://127.0.0.1.example.com/",
  ])("takes %s", (url) => {
    expect(urlFault(url, PUBLIC)).toBeNull();
  });

  it.each([
    ["http", "http://hooks.example.com/"],
    ["another scheme", "ftp://hooks.example.com/"],
    ["a script", "javascript:alert(1)"],
    ["data", "data:text/plain,hello"],
    ["a file", "file:///etc/passwd"],
    ["no scheme", "hooks.example.com/in"],
    ["a relative path", "/in"],
    ["nothing", ""],
    ["a user", "https://user@hooks.example.com/"],
    ["a user and a password", "https://user:secret@hooks.example.com/"],
    ["loopback", "https://127.0.0.1/"],
    ["short loopback", "https://127.1/"],
    ["decimal loopback", "https://2130706433/"],
    ["hexadecimal loopback", "https://0x7f000001/"],
    ["octal loopback", "https://0177.0.0.1/"],
    ["mixed loopback", "https://0x7f.1/"],
    ["full-width loopback", "https://１２７.０.０.１/"],
    ["percent-encoded loopback", "https://%31%32%37.0.0.1/"],
    ["loopback with a full stop", "https://127.0.0.1./"],
    ["a private address", "https://10.0.0.1/"],
    ["the metadata address", "https://169.254.169.254/latest/meta-data"],
    ["a public address", "https://8.8.8.8/"],
    ["the unspecified address", "https://0.0.0.0/"],
    ["zero", "https://0/"],
    ["IPv6 loopback", "https://[::1]/"],
    ["an IPv4-mapped address", "https://[::ffff:127.0.0.1]/"],
    ["a unique local address", "https://[fd00::1]/"],
    ["a link-local address", "https://[fe80::1]/"],
    ["a public IPv6 address", "https://[2606:4700::1111]/"],
    ["localhost", "https://localhost/"],
    ["localhost in capitals", "https://LOCALHOST/"],
    ["localhost, percent-encoded", "https://%6cocalhost/"],
    ["localhost with a full stop", "https://localhost./"],
    ["a name below localhost", "https://app.localhost/"],
    ["a .local name", "https://printer.local/"],
    ["an .internal name", "https://metadata.google.internal/"],
    ["a home name", "https://nas.home.arpa/"],
    ["a single label", "https://intranet/"],
    ["a trailing full stop", "https://hooks.example.com./"],
    ["a low port", "https://hooks.example.com:22/"],
    ["another low port", "https://hooks.example.com:80/"],
    ["the port below 1024", "https://hooks.example.com:1023/"],
    ["an impossible port", "https://hooks.example.com:70000/"],
    ["a backslash", String.raw`https:\\hooks.example.com\in`],
    ["a line break", "https://hooks.exam\nple.com/"],
    ["a space", " https://hooks.example.com/"],
    ["a tab", "ht\ttps://hooks.example.com/"],
  ])("refuses %s", (_what, url) => {
    expect(urlFault(url, PUBLIC)).toEqual(expect.any(String));
  });

  it.each([
    "http://127.0.0.1:4000/in",
    "http://localhost:80/",
    "https://[::1]:9000/",
    "http://receiver/",
  ])("takes %s on a developer's machine", (url) => {
    expect(urlFault(url, LOCAL)).toBeNull();
  });

  it.each(["ftp://localhost/", "http://user:secret@localhost/", "nothing", "http://a b/"])(
    "refuses %s even on a developer's machine",
    (url) => {
      expect(urlFault(url, LOCAL)).toEqual(expect.any(String));
    },
  );
});
