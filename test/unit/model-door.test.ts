import { describe, expect, it } from "vitest";

import { KEY, modelHost, NUMBER, USAGE } from "./model-asking.ts";

const scripted = modelHost();

describe("asking a model", () => {
  it("gives its text, what it has used and what that costs", async () => {
    const { ask, asked } = await scripted([{ text: "A hundred, I would say.", usage: USAGE }]);

    const answer = await ask();

    expect(answer).toEqual({
      ok: true,
      value: {
        text: "A hundred, I would say.",
        value: null,
        finish_reason: "stop",
        tools_called: [],
        usage: { input_tokens: 1_000, output_tokens: 200, cost_usd: 0.003 },
        duration_ms: expect.any(Number),
      },
    });
    expect(asked()).toMatchObject([
      {
        model: "scripted-1",
        headers: { authorization: `Bearer ${KEY}`, "idempotency-key": "t1.a1.s1" },
        body: {
          stream: true,
          stream_options: { include_usage: true },
          max_tokens: 500,
          temperature: 0,
          messages: [
            { role: "system", content: "You answer." },
            { role: "user", content: "How much?" },
          ],
        },
      },
    ]);
  });

  it("gives no key to the task, where a server echoes what it is sent", async () => {
    const { ask } = await scripted([{ text: `{"authorization": "Bearer ${KEY}"}` }]);

    const answer = await ask({ output_schema: { type: "object" } });

    expect(answer).toMatchObject({
      ok: true,
      value: { value: { authorization: "Bearer [api_key]" } },
    });
    expect(JSON.stringify(answer)).not.toContain(KEY);
  });

  it("asks a provider that can't stream for the whole answer", async () => {
    const { ask, asked } = await scripted([{ text: "Whole.", usage: USAGE }], {
      is_streamed: false,
    });

    expect(await ask()).toMatchObject({
      ok: true,
      value: { text: "Whole.", usage: { input_tokens: 1_000 } },
    });
    expect(asked()[0]?.body["stream"]).toBeUndefined();
  });

  it("takes four characters for a token where the provider does not count, and says so", async () => {
    const { ask } = await scripted([{ text: "x".repeat(400), usage: null }]);

    expect(await ask()).toMatchObject({
      ok: true,
      value: { usage: { output_tokens: 100, is_estimated: true } },
    });
  });

  it.each([-1_000_000_000, 1e15, 1.5, 0])("believes no count of %d tokens", async (count) => {
    const usage = { prompt_tokens: count, completion_tokens: count };
    const { ask } = await scripted([{ text: "x".repeat(400), usage }]);

    const answer = await ask();

    expect(answer).toMatchObject({
      ok: true,
      value: { usage: { output_tokens: 100, is_estimated: true } },
    });
    expect(answer.ok && answer.value.usage.input_tokens).toBeLessThan(100);
    expect(answer.ok && answer.value.usage.cost_usd).toBeGreaterThan(0);
  });

  it("sends a limit by the name that the provider knows, and a reasoning model no temperature", async () => {
    const { ask, asked } = await scripted([{}], {
      max_tokens_field: "max_completion_tokens",
      max_output_tokens: 64,
      capabilities: ["text", "reasoning"],
    });

    await ask();

    expect(asked()[0]?.body).toMatchObject({ max_completion_tokens: 64 });
    expect(asked()[0]?.body).not.toHaveProperty("max_tokens");
    expect(asked()[0]?.body).not.toHaveProperty("temperature");
  });
});

describe("an answer by a schema", () => {
  it("is asked of the provider where the model can do JSON", async () => {
    const { ask, asked } = await scripted([{ text: '{"amount": 100}' }], {
      capabilities: ["text", "json"],
    });

    const answer = await ask({ output_schema: NUMBER });

    expect(answer).toMatchObject({ ok: true, value: { value: { amount: 100 } } });
    expect(asked()[0]?.body).toMatchObject({
      response_format: {
        type: "json_schema",
        json_schema: { name: "answer", strict: false, schema: NUMBER },
      },
    });
  });

  it("is asked for in words elsewhere, of the schema in the turn, and found in a code fence", async () => {
    const text = 'Sure:\n```json\n{"amount": 100}\n```\nAnything else?';
    const { ask, asked } = await scripted([{ text }]);

    const turns = [
      { role: "user" as const, text: `Schema: <<<q\n${JSON.stringify(NUMBER)}\nq>>>` },
    ];
    const answer = await ask({ turns, output_schema: NUMBER });

    expect(answer).toMatchObject({ ok: true, value: { value: { amount: 100 }, text } });
    expect(asked()[0]?.body).not.toHaveProperty("response_format");
    expect(asked()[0]?.body["messages"]).toMatchObject([
      { role: "system", content: "You answer." },
      { role: "user", content: expect.stringMatching(/\nq>>>\n\n[^"]+JSON Schema[^"]+$/) },
    ]);
  });

  it.each([
    ["Roughly a hundred.", /not JSON/],
    ['{"amount": "much"}', /\/amount/],
    ['{"amount": 1, "extra": 2}', /extra/],
    ['{"amount": 1', /not JSON/],
  ])("is bad output when it is %s", async (text, detail) => {
    const { ask } = await scripted([{ text, usage: USAGE }]);

    expect(await ask({ output_schema: NUMBER })).toMatchObject({
      ok: false,
      refusal: {
        class: "bad_output",
        detail: expect.stringMatching(detail),
        text,
        usage: { input_tokens: 1_000, output_tokens: 200, cost_usd: 0.003 },
      },
    });
  });
});
