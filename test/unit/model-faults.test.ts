import { describe, expect, it } from "vitest";

import { ANSWER_LIMITS } from "../../src/executor/models/provider/watched-fetch.ts";
import type { ModelReply } from "../model-script.ts";
import { KEY, modelHost, USAGE } from "./model-asking.ts";

const scripted = modelHost();

const openAiError = (message: string, code: string | null = null) =>
  JSON.stringify({ error: { message, code } });

describe("a fault of a provider", () => {
  const SPENT = { input_tokens: 0, output_tokens: 0, cost_usd: 0 };

  it.each<[string, ModelReply, object]>([
    ["rate_limited", { status: 429, headers: { "retry-after": "7" } }, { retry_after_ms: 7_000 }],
    [
      "rate_limited",
      { status: 429, headers: { "retry-after-ms": "250" } },
      { retry_after_ms: 250 },
    ],
    [
      "rate_limited",
      { status: 429, headers: { "retry-after": "Thu, 01 Jan 2099 00:00:00 GMT" } },
      { retry_after_ms: 3_600_000 },
    ],
    ["rate_limited", { status: 429, headers: { "retry-after": "soon" } }, { retry_after_ms: null }],
    [
      "rejected",
      { status: 429, body: openAiError("You ran out", "insufficient_quota") },
      { status: 429 },
    ],
    ["unavailable", { status: 500 }, { status: 500, retry_after_ms: null }],
    ["unavailable", { status: 503, headers: { "retry-after": "1" } }, { retry_after_ms: 1_000 }],
    ["unavailable", { status: 529, body: "<html>overloaded</html>" }, { status: 529 }],
    ["unauthorized", { status: 401, body: openAiError(`Bad key ${KEY}`) }, { status: 401 }],
    ["unauthorized", { status: 403 }, { status: 403 }],
    ["filtered", { status: 403, body: openAiError("Your input was flagged") }, { status: 403 }],
    ["rejected", { status: 400, body: openAiError(`no such field; ${KEY}`) }, { status: 400 }],
    ["rejected", { status: 404 }, { status: 404 }],
    ["rejected", { status: 422 }, { status: 422 }],
    ["rejected", { status: 302, headers: { location: "http://127.0.0.1/" } }, { status: 302 }],
    [
      "too_long",
      { status: 400, body: openAiError("This model's maximum context length is 8192 tokens") },
      { status: 400 },
    ],
    [
      "too_long",
      {
        status: 400,
        body: openAiError("x", "exceed_context_size_error: exceeds the available context size"),
      },
      { status: 400 },
    ],
    ["too_long", { status: 413 }, { status: 413 }],
    ["filtered", { status: 400, body: openAiError("x", "content_filter") }, { status: 400 }],
    ["timeout", { status: 408 }, { status: 408 }],
  ])("is %s for %j", async (fault, reply, fields) => {
    const { ask, asked } = await scripted([reply]);

    const answer = await ask();

    expect(answer).toMatchObject({ ok: false, refusal: { class: fault, usage: SPENT, ...fields } });
    expect(JSON.stringify(answer)).not.toContain(KEY);
    // Repeating is the engine's.
    expect(asked()).toHaveLength(1);
  });

  it.each<[string, ModelReply]>([
    ["a message that is cut", { status: 400, body: openAiError(`${"x".repeat(280)} ${KEY}`) }],
    ["an answer that is cut", { headers: sse(), body: `data: ["${"x".repeat(9_980)}${KEY}"]\n\n` }],
    ["a content type", { headers: { "content-type": `text/${KEY}` }, body: "" }],
    ["an event of a stream", { headers: sse(), body: `data: ${openAiError(KEY)}\n\n` }],
    ["the model's own words", { text: `You sent ${KEY}`, finish_reason: "length" }],
  ])("shows no part of a key in %s", async (_where, reply) => {
    const { ask } = await scripted([reply]);

    const answer = await ask();

    expect(answer.ok).toBe(false);
    expect(JSON.stringify(answer).toLowerCase()).not.toContain(KEY.slice(0, 8));
  });

  it("is the network's where nobody listens", async () => {
    const { ask } = await scripted([], { base_url: "http://127.0.0.1:9/v1" });

    expect(await ask()).toMatchObject({ ok: false, refusal: { class: "network", status: null } });
  });

  it("is a refused address, to which nothing is sent; the operator's own are not judged", async () => {
    const reply = { status: 404 };
    const base_url = `${(await scripted()).base_url}/forbidden`;
    const theirs = await scripted([reply], { base_url });
    const own = await scripted([reply], { base_url, source: "configuration" });

    expect(await theirs.ask()).toMatchObject({
      ok: false,
      refusal: { class: "rejected", detail: "base_url must be public" },
    });
    expect(await own.ask()).toMatchObject({ ok: false, refusal: { status: 404 } });
  });

  it("is a missing binding", async () => {
    const { ask } = await scripted([], { provider: "workers_ai" });

    expect(await ask()).toMatchObject({
      ok: false,
      refusal: { class: "rejected", detail: expect.stringContaining("binding AI") },
    });
  });
});

describe("an answer that goes wrong", () => {
  const words = "word ".repeat(40);

  it.each<[string, ModelReply, object]>([
    ["bad_output", { body: "data: {this is not json}\n\n", headers: sse() }, {}],
    ["bad_output", { body: 'data: {"choices": 7}\n\n', headers: sse() }, {}],
    ["bad_output", { text: "" }, {}],
    [
      "cut_off",
      { text: words, finish_reason: "length", usage: USAGE },
      { text: words, usage: { cost_usd: 0.003 } },
    ],
    ["filtered", { text: words, finish_reason: "content_filter" }, {}],
    ["network", { text: words, trouble: "cut" }, { usage: { is_estimated: true } }],
    ["network", { body: "data: [DONE]\n\n", headers: sse() }, {}],
    [
      "timeout",
      { text: words, trouble: "stalled" },
      { detail: expect.stringContaining("stalled") },
    ],
    [
      "cut_off",
      { text: words, trouble: "endless" },
      { detail: expect.stringContaining("300000 bytes") },
    ],
    [
      "rejected",
      { body: "<html></html>", headers: { "content-type": "text/html" } },
      { detail: expect.stringContaining("base_url") },
    ],
    ["rejected", { body: "{}" }, { detail: expect.stringContaining("is_streamed") }],
    ["unavailable", { body: `data: ${openAiError("upstream is down")}\n\n`, headers: sse() }, {}],
    [
      "rate_limited",
      { body: 'data: {"error":{"message":"slow down","code":429}}\n\n', headers: sse() },
      { status: 429 },
    ],
  ])("is %s when %j is streamed", async (fault, reply, fields) => {
    const { ask } = await scripted([reply]);

    expect(await ask()).toMatchObject({ ok: false, refusal: { class: fault, ...fields } });
  });

  it.each<[string, ModelReply]>([
    ["bad_output", { body: "{this is not json" }],
    ["bad_output", { body: '{"choices": []}' }],
    ["network", { text: words, trouble: "cut" }],
    ["timeout", { text: words, trouble: "stalled" }],
    ["cut_off", { text: words, trouble: "endless" }],
    ["cut_off", { body: `{"choices": "${"x".repeat(400_000)}"}` }],
    ["rejected", { body: "<html></html>", headers: { "content-type": "text/html" } }],
  ])("is %s when %j comes whole", async (fault, reply) => {
    const { ask } = await scripted([reply], { is_streamed: false });

    expect(await ask()).toMatchObject({ ok: false, refusal: { class: fault } });
  });

  it("is a timeout when none begins", async () => {
    const { ask } = await scripted([{ trouble: "silent" }]);

    expect(await ask({ timeout_ms: 200 })).toMatchObject({
      ok: false,
      refusal: {
        class: "timeout",
        detail: "no whole answer within 0.2 s",
        silent_ms: expect.toSatisfy((ms) => ms > 100),
      },
    });
  });

  it("is a timeout when it comes too slowly, and what was heard is paid for", async () => {
    const { ask } = await scripted([{ text: words, part_delay_ms: 60 }]);

    expect(await ask({ timeout_ms: 300 })).toMatchObject({
      ok: false,
      refusal: {
        class: "timeout",
        silent_ms: 0,
        usage: { is_estimated: true, output_tokens: expect.any(Number) },
      },
    });
  });

  it("is a timeout when a tool does not end", async () => {
    const { ask } = await scripted([{ tool_calls: [{ name: "wait", arguments: {} }] }]);
    const wait = {
      name: "wait",
      description: "Waits",
      input_schema: { type: "object" },
      run: () => new Promise<never>(() => {}),
    };

    expect(await ask({ tools: [wait], max_tool_rounds: 1, timeout_ms: 300 })).toMatchObject({
      ok: false,
      refusal: { class: "timeout", silent_ms: 0 },
    });
  });

  it("is aborted by whoever asked", async () => {
    const { ask, asked } = await scripted([{ text: words, part_delay_ms: 50 }]);
    const stop = new AbortController();

    setTimeout(() => stop.abort(), 100);

    expect(await ask({ signal: stop.signal })).toMatchObject({
      ok: false,
      refusal: { class: "aborted", usage: { is_estimated: true } },
    });
    expect(await ask({ signal: stop.signal })).toMatchObject({ refusal: { class: "aborted" } });
    expect(asked()).toHaveLength(1);
  });

  it("is too long before it is sent where it can't fit", async () => {
    const { ask, asked } = await scripted([{}], { context_tokens: 512 });

    const answer = await ask({ turns: [{ role: "user", text: "x".repeat(4_000) }] });

    expect(answer).toMatchObject({ ok: false, refusal: { class: "too_long" } });
    expect(asked()).toEqual([]);
  });

  it("has four mebibytes and a minute of silence in earnest", () => {
    expect(ANSWER_LIMITS).toEqual({ maxBytes: 4_194_304, idleMs: 60_000 });
  });
});

function sse() {
  return { "content-type": "text/event-stream" };
}
