import { describe, expect, it } from "vitest";

import { fetchInput, tableOf } from "../../src/executor/input-source.ts";

const isAllowed = async () => true;

describe("the table in a document", () => {
  it.each([
    ["a,b\n1,2", { csv: "a,b\n1,2" }],
    ['[{"a":1}]', { rows: [{ a: 1 }] }],
    ['{"rows":[[1]],"note":1}', { rows: [[1]] }],
    ['{"other":1}', { csv: '{"other":1}' }],
    ["[not json", { csv: "[not json" }],
  ])("is read from %s", (text, table) => {
    expect(tableOf(text)).toEqual(table);
  });
});

describe("fetching an input", () => {
  it("reads what the server answers", async () => {
    const done = await fetchInput("https://a.example/x", "table", {
      get: async () => new Response("a\n1"),
      isAllowed,
    });

    expect(done).toEqual({ ok: true, value: { csv: "a\n1" } });
  });

  it("leaves a text as it is for those who read texts", async () => {
    const done = await fetchInput("https://a.example/x", "text", {
      get: async () => new Response('[{"a":1}]'),
      isAllowed,
    });

    expect(done).toEqual({ ok: true, value: { text: '[{"a":1}]' } });
  });

  it("does not call an address that is not allowed", async () => {
    let calls = 0;
    const get = async (): Promise<Response> => {
      calls += 1;
      return new Response("");
    };

    const done = await fetchInput("http://10.0.0.1/", "table", {
      get,
      isAllowed: async () => false,
    });

    expect(calls).toBe(0);
    expect(done).toMatchObject({ ok: false, refusal: { retry_recommended: false } });
  });

  it.each([
    [503, true],
    [429, true],
    [404, false],
    [302, false],
  ])("fails on status %i; a retry helps: %s", async (status, mayRetry) => {
    const done = await fetchInput("https://a.example/x", "table", {
      get: async () => new Response(null, { status }),
      isAllowed,
    });

    expect(done).toMatchObject({ ok: false, refusal: { retry_recommended: mayRetry } });
  });

  it.each([
    ["text/csv; charset=iso-8859-1", [0x4d, 0xe1, 0x6c, 0x61], "Mála"],
    ['text/csv; header=present; charset="UTF-16LE"', [0x4d, 0, 0xe1, 0], "Má"],
    ["text/csv", [0x4d, 0xc3, 0xa1], "Má"],
  ])("reads a text in the encoding of %s", async (contentType, bytes, text) => {
    const done = await fetchInput("https://a.example/x", "text", {
      get: async () =>
        new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } }),
      isAllowed,
    });

    expect(done).toEqual({ ok: true, value: { text } });
  });

  it.each([
    ["text/csv", [0x4d, 0xe1, 0x6c, 0x61]],
    ["text/csv; charset=utf-8", [0x4d, 0xc3]],
    ["text/csv; charset=klingon", [0x4d]],
  ])("refuses bytes that are no text in the encoding of %s", async (contentType, bytes) => {
    const done = await fetchInput("https://a.example/x", "table", {
      get: async () =>
        new Response(new Uint8Array(bytes), { headers: { "content-type": contentType } }),
      isAllowed,
    });

    expect(done).toMatchObject({
      ok: false,
      refusal: {
        error_type: "input_unreadable",
        root_cause: { class: "input" },
        retry_recommended: false,
      },
    });
  });

  it("stops reading above one mebibyte", async () => {
    const done = await fetchInput("https://a.example/x", "table", {
      get: async () => new Response("x".repeat(1_048_577)),
      isAllowed,
    });

    expect(done).toMatchObject({ ok: false, refusal: { error_type: "input_unreadable" } });
  });

  it("fails with a retry when the network does", async () => {
    const get = (): Promise<Response> => Promise.reject(new TypeError("no route"));

    const done = await fetchInput("https://a.example/x", "table", { get, isAllowed });

    expect(done).toMatchObject({ ok: false, refusal: { retry_recommended: true } });
  });
});
