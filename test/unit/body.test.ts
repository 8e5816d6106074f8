import { Hono } from "hono";
import { describe, expect, it } from "vitest";

import { limitSize, parseBody } from "../../src/rest/edge/body.ts";
import type { RestEnv } from "../../src/rest/route.ts";

const JSON_TYPE = { type: "application/json", encoding: undefined };
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const MEBIBYTE = 1_048_576;

async function codeOf(parsing: ReturnType<typeof parseBody>): Promise<string | null> {
  const parsed = await parsing;
  return parsed.ok ? null : parsed.refusal.code;
}

/** `levels` lists inside each other. */
const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

describe("parseBody", () => {
  it.each([
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON ;charset=UTF-8",
  ])("accepts %s", async (type) => {
    expect(await parseBody(bytesOf('{"a":1}'), { type, encoding: undefined })).toEqual({
      ok: true,
      value: { a: 1 },
    });
  });

  it.each([undefined, "", "text/plain", "application/jsonp", "multipart/form-data; boundary=x"])(
    "refuses a body of type %s",
    async (type) => {
      expect(await codeOf(parseBody(bytesOf("{}"), { type, encoding: undefined }))).toBe(
        "unsupported_media_type",
      );
    },
  );

  it.each(["br", "deflate", "gzip, gzip", "x-gzip", "zstd", ""])(
    "refuses a body of the coding %j and says which it takes",
    async (encoding) => {
      const parsed = await parseBody(bytesOf("{}"), { ...JSON_TYPE, encoding });

      expect(parsed).toMatchObject({
        refusal: {
          code: "unsupported_media_type",
          detail: expect.stringContaining("Content-Encoding: gzip"),
        },
      });
    },
  );

  it.each(["identity", "Identity", " identity "])(
    "takes a body of the coding %j",
    async (encoding) => {
      expect(await codeOf(parseBody(bytesOf("{}"), { ...JSON_TYPE, encoding }))).toBeNull();
    },
  );

  it("takes no body for an empty object", async () => {
    const nothing = { type: undefined, encoding: undefined };

    expect(await parseBody(bytesOf(""), nothing)).toEqual({ ok: true, value: {} });
    expect(await parseBody(bytesOf(""), JSON_TYPE)).toEqual({ ok: true, value: {} });
  });

  it.each([
    ['{"labels":{"__proto__":1}}', "/labels/__proto__"],
    ['{"a":[{},{"b/c":{"\\u005f_proto__":{}}}]}', "/a/1/b~1c/__proto__"],
  ])("refuses the key that schemas drop, and says where: %s", async (text, pointer) => {
    expect(await parseBody(bytesOf(text), JSON_TYPE)).toMatchObject({
      refusal: { code: "validation_failed", errors: [{ pointer, code: "forbidden_key" }] },
    });
  });

  it("takes that word everywhere else", async () => {
    const text = '{"a":"__proto__","constructor":1,"prototype":{}}';

    expect(await codeOf(parseBody(bytesOf(text), JSON_TYPE))).toBeNull();
  });

  it("says where JSON breaks and quotes none of it", async () => {
    const parsed = await parseBody(bytesOf('{"secret": "whsec_abc",\n oops}'), JSON_TYPE);

    expect(parsed).toMatchObject({
      ok: false,
      refusal: { code: "malformed_json", extra: { position: 25, line: 2, column: 2 } },
    });
    expect(JSON.stringify(parsed)).not.toMatch(/whsec|oops/);
  });

  it("refuses bytes that are not UTF-8", async () => {
    expect(await codeOf(parseBody(new Uint8Array([0x22, 0xff, 0x22]), JSON_TYPE))).toBe(
      "malformed_json",
    );
  });

  it.each([
    [32, null],
    [33, "body_too_complex"],
    [100_000, "body_too_complex"],
  ])("judges a depth of %i as %s", async (levels, code) => {
    expect(await codeOf(parseBody(bytesOf(nested(levels)), JSON_TYPE))).toBe(code);
  });

  it.each([
    [10_000, null],
    [10_001, "body_too_complex"],
  ])("judges %i keys as %s", async (count, code) => {
    const half = Math.floor(count / 2);
    const keys = (from: number, to: number): [string, number][] =>
      Array.from({ length: to - from }, (_, index) => [`k${from + index}`, 0]);
    // Half of them one level deeper, in a list: it is their sum that counts.
    const body = {
      ...Object.fromEntries(keys(1, half)),
      list: [Object.fromEntries(keys(half, count))],
    };

    expect(await codeOf(parseBody(bytesOf(JSON.stringify(body)), JSON_TYPE))).toBe(code);
  });

  it("lets long lists of numbers pass", async () => {
    const body = JSON.stringify({ rows: Array.from({ length: 200_000 }, () => 1) });

    expect(await codeOf(parseBody(bytesOf(body), JSON_TYPE))).toBeNull();
  });

  it("is not harmed by a key that means a prototype", async () => {
    const parsed = await parseBody(bytesOf('{"__proto__": {"admin": true}}'), JSON_TYPE);

    expect(parsed.ok).toBe(false);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });
});

describe("limitSize", () => {
  function createLimited() {
    const app = new Hono<RestEnv>();
    app.post("/", limitSize(true), (context) => context.text(String(context.get("bytes").length)));
    return app;
  }

  /** A body that says nothing of its length. */
  function chunked(bytes: number): ReadableStream<Uint8Array> {
    let left = bytes;
    return new ReadableStream({
      pull(controller) {
        const length = Math.min(left, 65_536);
        left -= length;
        if (length > 0) controller.enqueue(new Uint8Array(length));
        else controller.close();
      },
    });
  }

  const post = (init: RequestInit & { duplex?: "half" }) =>
    createLimited().request("/", { method: "POST", ...init });

  it.each([0, 1, MEBIBYTE])("lets %i bytes pass", async (length) => {
    const response = await post({ body: chunked(length), duplex: "half" });

    expect(await response.text()).toBe(String(length));
  });

  it("counts what nobody declared, and stops reading", async () => {
    const body = chunked(100 * MEBIBYTE);

    const response = await post({ body, duplex: "half" });

    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: "body_too_large", max_bytes: MEBIBYTE });
  });

  it("refuses by the declared length without reading", async () => {
    let isRead = false;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          isRead = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );

    const response = await post({
      body,
      duplex: "half",
      headers: { "Content-Length": String(MEBIBYTE + 1) },
    });

    expect(response.status).toBe(413);
    expect(isRead).toBe(false);
  });

  it("does not believe a length that is too small", async () => {
    const response = await post({
      body: chunked(MEBIBYTE + 1),
      duplex: "half",
      headers: { "Content-Length": "10" },
    });

    expect(response.status).toBe(413);
  });

  it("answers a body that breaks off", async () => {
    const body = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(new Error("connection lost")),
    });

    const response = await post({ body, duplex: "half" });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "malformed_json" });
  });
});
