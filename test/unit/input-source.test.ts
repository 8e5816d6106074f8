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
