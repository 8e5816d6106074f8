import { describe, expect, it } from "vitest";

import { createHostCheck } from "../../src/delivery/registry/host-check.ts";
import { dnsAnswer } from "../dns-zone.ts";

/** A check whose resolver is the zone of the tests, and what it was asked. */
function newCheck(get: (url: string) => Promise<Response>, isLocalAllowed = false) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const fault = createHostCheck({
    get: (url) => {
      asked.push(url);
      return get(url);
    },
    now: () => clock.now,
    isLocalAllowed,
  });
  return { fault, asked, clock };
}

const zone = async (url: string): Promise<Response> => dnsAnswer(new URL(url));

describe("the host of an endpoint", () => {
  it.each([
    ["public.dns.test", null],
    ["private.dns.test", "must name a host with public addresses alone"],
    ["alias.dns.test", "must name a host with public addresses alone"],
    ["half.dns.test", "must name a host with public addresses alone"],
    ["mapped.dns.test", "must name a host with public addresses alone"],
    ["169.254.169.254.nip.io", "must name a host with public addresses alone"],
    ["gone.dns.test", "must name a host that exists"],
    ["empty.dns.test", "must name a host that has an address"],
    ["unknown.dns.test", null],
  ])("%s is judged by all its addresses: %s", async (host, fault) => {
    const check = newCheck(zone);

    expect(await check.fault(`https://${host}:8443/in?x`)).toBe(fault);
  });

  it("is looked up by A and AAAA, and not again for a minute", async () => {
    const check = newCheck(zone);

    await check.fault("https://public.dns.test/a");
    check.clock.now = 59_999;
    await check.fault("https://public.dns.test/b");
    const soon = check.asked.length;
    check.clock.now = 60_000;
    await check.fault("https://public.dns.test/c");

    expect(check.asked.slice(0, 2)).toEqual([
      "https://cloudflare-dns.com/dns-query?name=public.dns.test&type=A",
      "https://cloudflare-dns.com/dns-query?name=public.dns.test&type=AAAA",
    ]);
    expect([soon, check.asked.length]).toEqual([2, 4]);
  });

  it.each<[string, () => Promise<Response>]>([
    ["does not answer", () => Promise.reject(new Error("no route"))],
    ["answers 500", async () => new Response("", { status: 500 })],
    ["speaks no JSON", async () => new Response("<html>")],
    ["speaks another JSON", async () => Response.json({ answer: [] })],
    ["could not find out", async () => Response.json({ Status: 2 })],
  ])("passes while the resolver %s, and is asked for again", async (_what, get) => {
    const check = newCheck(get);

    const faults = [await check.fault("https://a.test/"), await check.fault("https://a.test/")];

    expect(faults).toEqual([null, null]);
    expect(check.asked.length).toBeGreaterThanOrEqual(2);
  });

  it("is refused by what one of two answers says", async () => {
    const check = newCheck((url) =>
      url.endsWith("AAAA") ? Promise.reject(new Error("no route")) : zone(url),
    );

    expect(await check.fault("https://private.dns.test/")).not.toBeNull();
    expect(await check.fault("https://mapped.dns.test/")).toBeNull();
  });

  it("is not looked up on a developer's machine", async () => {
    const check = newCheck(zone, true);

    expect(await check.fault("http://private.dns.test/")).toBeNull();
    expect(check.asked).toEqual([]);
  });
});
