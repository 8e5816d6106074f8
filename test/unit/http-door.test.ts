import { describe, expect, it } from "vitest";

import { createHttpDoor } from "../../src/executor/http-door.ts";
import type { HttpRequest } from "../../src/executor/skills/skill.ts";

type Get = (url: string, init: RequestInit) => Promise<Response>;

const ASKED: HttpRequest = { method: "GET", url: "https://a.example/x", timeout_ms: 1_000 };

/** A door on a network of one answer, that notes what went through. */
function doorTo(answer: Get, urlFault: (url: string) => Promise<string | null> = async () => null) {
  const sent: { url: string; init: RequestInit }[] = [];
  let clock = 1_000;
  const get: Get = (url, init) => {
    sent.push({ url, init });
    return answer(url, init);
  };
  const now = (): number => (clock += 7);
  return { sent, send: createHttpDoor({ get, urlFault, now }) };
}

const open = (): AbortSignal => new AbortController().signal;

/** A body without an end, in pieces of one KiB. */
function endless(onPull: () => void = () => undefined): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      onPull();
      controller.enqueue(new Uint8Array(1_024).fill(120));
    },
  });
}

describe("the way out for skills", () => {
  it("gives the answer with the time that it took", async () => {
    const { send, sent } = doorTo(async () => new Response("né", { headers: { "X-A": "1" } }));

    const answer = await send({ ...ASKED, headers: { Accept: "text/plain" } }, open());

    expect(answer).toMatchObject({
      ok: true,
      value: { status: 200, text: "né", bytes: 3, is_cut: false, duration_ms: 7 },
    });
    expect(answer.ok && answer.value.headers["x-a"]).toBe("1");
    expect(sent[0]?.init).toMatchObject({
      method: "GET",
      redirect: "manual",
      headers: { "user-agent": "Batuta", accept: "text/plain" },
    });
  });

  it("sends nothing to an address that may not be called, and names the rule", async () => {
    const { send, sent } = doorTo(
      async () => new Response(""),
      async () => "must name a host, not an IP address",
    );

    const answer = await send({ ...ASKED, url: "https://127.0.0.1/" }, open());

    expect(sent).toEqual([]);
    expect(answer).toMatchObject({
      ok: false,
      refusal: { class: "address_refused", detail: "must name a host, not an IP address" },
    });
  });

  it("takes a redirect as an answer and does not follow it", async () => {
    const headers = { location: "http://169.254.169.254/latest/meta-data" };
    const { send, sent } = doorTo(async () => new Response(null, { status: 302, headers }));

    const answer = await send(ASKED, open());

    expect(answer).toMatchObject({ ok: true, value: { status: 302 } });
    expect(sent).toHaveLength(1);
  });

  it.each<[string, Partial<HttpRequest>]>([
    ["a line break in a header", { headers: { "x-a": "1\r\nx-b: 2" } }],
    ["a header's name with a space", { headers: { "x a": "1" } }],
    ["the host", { headers: { Host: "inner.example" } }],
    ["a hop-by-hop header", { headers: { "Transfer-Encoding": "chunked" } }],
    ["a header twice", { headers: { "X-A": "1", "x-a": "2" } }],
    ["a letter that no header may hold", { headers: { "x-a": "…" } }],
    ["another method", { method: "TRACE" }],
    ["a body of GET", { body: "x" }],
    ["a body above 1 MiB", { method: "POST", body: "x".repeat(1_048_577) }],
  ])("does not send %s", async (_what, part) => {
    const { send, sent } = doorTo(async () => new Response(""));

    const answer = await send({ ...ASKED, ...part }, open());

    expect(sent).toEqual([]);
    expect(answer).toMatchObject({ ok: false, refusal: { class: "request_refused" } });
  });

  it("never tells the value of a header that it refuses", async () => {
    const { send } = doorTo(async () => new Response(""));

    const answer = await send({ ...ASKED, headers: { authorization: "s3cr3t\n" } }, open());

    expect(JSON.stringify(answer)).not.toContain("s3cr3t");
  });

  it("cuts an endless answer at the bytes that were asked for", async () => {
    let pulled = 0;
    const { send } = doorTo(async () => new Response(endless(() => (pulled += 1))));

    const answer = await send({ ...ASKED, max_bytes: 10_000 }, open());

    expect(answer).toMatchObject({ ok: true, value: { bytes: 10_000, is_cut: true } });
    expect(pulled).toBeLessThan(20);
  });

  it("reads no more than one mebibyte of fifty, whatever is asked for", async () => {
    const { send } = doorTo(async () => new Response("x".repeat(50 * 1_048_576)));

    const answer = await send({ ...ASKED, max_bytes: 90_000_000 }, open());

    expect(answer).toMatchObject({ ok: true, value: { bytes: 1_048_576, is_cut: true } });
  });

  it("gives up a server that does not answer in time", async () => {
    const { send } = doorTo(
      (_url, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    );

    const answer = await send({ ...ASKED, timeout_ms: 20 }, open());

    expect(answer).toMatchObject({ ok: false, refusal: { class: "timeout" } });
  });

  it("stops with its run", async () => {
    const run = new AbortController();
    const { send } = doorTo((_url, { signal }) => {
      run.abort();
      return Promise.reject(new Error(String(signal?.aborted)));
    });

    expect(await send(ASKED, run.signal)).toMatchObject({ refusal: { class: "aborted" } });
    expect(await send(ASKED, run.signal)).toMatchObject({ refusal: { class: "aborted" } });
  });

  it("tells what the network says without the address", async () => {
    const url = "https://a.example/hook?key=abcdef";
    const { send } = doorTo(() => Promise.reject(new TypeError(`cannot load ${url}: refused`)));

    const answer = await send({ ...ASKED, url }, open());

    expect(answer).toMatchObject({
      refusal: { class: "network", detail: "cannot load the address: refused" },
    });
  });

  it("judges a trial and sends nothing", async () => {
    const { send, sent } = doorTo(async () => new Response(""));

    const answer = await send({ ...ASKED, is_trial: true }, open());

    expect(answer).toMatchObject({ ok: true, value: { status: 0 } });
    expect(sent).toEqual([]);
  });
});
