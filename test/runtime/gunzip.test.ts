import { describe, expect, it } from "vitest";

import { gunzip, slicesOf } from "../../src/rest/edge/gunzip.ts";
import { accepting, createFakeApp, TASK } from "../unit/rest-fakes.ts";

/* In workerd: how far a decompression stream runs ahead is the runtime's own, and Node's has no buffered reads. */

const MEBIBYTE = 1_048_576;

/** Zeros without end, or so many mebibytes, with a count of those that were made. */
function zeros(mebibytes: number) {
  const made = { mebibytes: 0 };
  const chunk = new Uint8Array(MEBIBYTE);
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (made.mebibytes === mebibytes) return controller.close();
        made.mebibytes += 1;
        controller.enqueue(chunk);
      },
    },
    { highWaterMark: 0 },
  );
  return { made, stream };
}

const bytesOf = async (stream: ReadableStream<Uint8Array>) =>
  new Uint8Array(await new Response(stream).arrayBuffer());

const gzip = (text: string) =>
  bytesOf(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip")));

/** A stream that counts what is taken of it. */
function counted(bytes: Uint8Array) {
  const taken = { bytes: 0 };
  const reader = slicesOf(bytes).getReader();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        taken.bytes += value.length;
        controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  return { taken, stream };
}

describe("gunzip", () => {
  it.each([0, 1, 5_000, MEBIBYTE])("gives back %i bytes", async (length) => {
    const text = "0123456789".repeat(Math.ceil(length / 10)).slice(0, length);

    const outcome = await gunzip(slicesOf(await gzip(text)), MEBIBYTE);

    expect(outcome.ok && new TextDecoder().decode(outcome.value)).toBe(text);
  });

  it("gives back what can't be compressed, in as many pieces as it comes", async () => {
    const random = new Uint8Array(300_000);
    for (let at = 0; at < random.length; at += 60_000) {
      crypto.getRandomValues(random.subarray(at, at + 60_000));
    }
    const compressed = new Blob([random]).stream().pipeThrough(new CompressionStream("gzip"));

    const outcome = await gunzip(slicesOf(await bytesOf(compressed)), MEBIBYTE);

    expect(outcome).toEqual({ ok: true, value: random });
  });

  it("refuses one byte more than the limit", async () => {
    const outcome = await gunzip(slicesOf(await gzip("x".repeat(MEBIBYTE + 1))), MEBIBYTE);

    expect(outcome).toMatchObject({
      ok: false,
      refusal: { code: "body_too_large", extra: { max_bytes: MEBIBYTE } },
    });
  });

  it("refuses a bomb of 1 GiB, of which it makes the first megabytes alone", async () => {
    const { made, stream } = zeros(1_024);

    const outcome = await gunzip(stream.pipeThrough(new CompressionStream("gzip")), MEBIBYTE);

    expect(outcome).toMatchObject({ refusal: { code: "body_too_large" } });
    expect(made.mebibytes).toBeLessThan(64);
  });

  it("takes a few kilobytes of a bomb, and leaves the rest", async () => {
    const bomb = await bytesOf(zeros(64).stream.pipeThrough(new CompressionStream("gzip")));
    const { taken, stream } = counted(bomb);

    const outcome = await gunzip(stream, MEBIBYTE);

    expect(bomb.length).toBeLessThan((64 * MEBIBYTE) / 1_000);
    expect(outcome).toMatchObject({ refusal: { code: "body_too_large" } });
    expect(taken.bytes).toBeLessThanOrEqual(3 * 4_096);
  });

  const broken: [what: string, damage: (bytes: Uint8Array) => Uint8Array][] = [
    ["no gzip at all", () => new TextEncoder().encode('{"task_type": "general"}')],
    ["cut off", (bytes) => bytes.subarray(0, -3)],
    ["a wrong checksum", (bytes) => bytes.with(bytes.length - 6, 1 ^ (bytes.at(-6) ?? 0))],
    ["a wrong length", (bytes) => bytes.with(bytes.length - 1, 1)],
    ["something behind the end", (bytes) => new Uint8Array([...bytes, 0])],
    ["a second stream behind the end", (bytes) => new Uint8Array([...bytes, ...bytes])],
  ];

  it.each(broken)("refuses %s", async (_what, damage) => {
    const outcome = await gunzip(slicesOf(damage(await gzip("hello hello"))), MEBIBYTE);

    expect(outcome).toMatchObject({ ok: false, refusal: { code: "malformed_json" } });
  });
});

describe("a compressed request", () => {
  const post = (body: Uint8Array<ArrayBuffer>, encoding = "gzip", key = "all") =>
    new Request("https://batuta.test/v1/tasks", {
      method: "POST",
      body,
      headers: {
        Authorization: `Bearer ${key}`,
        "Content-Type": "application/json",
        "Content-Encoding": encoding,
      },
    });

  it.each(["gzip", "GZIP"])("is taken as %s like a plain one", async (encoding) => {
    const { app, calls } = createFakeApp(accepting);

    const response = await app.fetch(post(await gzip(JSON.stringify(TASK)), encoding));

    expect(response.status).toBe(202);
    expect(calls).toEqual(["tasks.submit"]);
  });

  it.each([
    [413, "body_too_large", () => gzip(" ".repeat(MEBIBYTE + 1))],
    [400, "malformed_json", async () => (await gzip("{}")).subarray(0, -1)],
    [400, "malformed_json", () => gzip("{")],
    [400, "validation_failed", () => gzip("{}")],
  ])("is answered with %i %s", async (status, code, body) => {
    const { app, calls } = createFakeApp(accepting);

    const response = await app.fetch(post(await body()));

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
    expect(calls).toEqual([]);
  });

  it("is not decompressed for who may not ask", async () => {
    const { app } = createFakeApp(accepting);
    const bomb = await bytesOf(zeros(16).stream.pipeThrough(new CompressionStream("gzip")));

    const stranger = await app.fetch(post(bomb, "gzip", "unknown"));
    const observer = await app.fetch(post(bomb, "gzip", "observe"));
    const orchestrator = await app.fetch(post(bomb));

    expect([stranger.status, observer.status, orchestrator.status]).toEqual([401, 403, 413]);
  });
});
