import { describe, expect, it } from "vitest";

import type { ModelReply } from "../model-script.ts";
import { modelHost, NUMBER, USAGE } from "./model-asking.ts";

const scripted = modelHost();

describe("tools of a model", () => {
  const lookUp = (inputs: unknown[]) => ({
    name: "look_up",
    description: "Looks a price up",
    input_schema: {
      type: "object",
      properties: { item: { type: "string" } },
      required: ["item"],
    },
    run: async (input: object) => {
      inputs.push(input);
      return { price: 100 };
    },
  });
  const call = (input: Record<string, unknown> | string): ModelReply => ({
    tool_calls: [{ name: "look_up", arguments: input }],
    usage: USAGE,
  });

  it("are run, and all rounds are paid for", async () => {
    const inputs: unknown[] = [];
    const { ask, asked } = await scripted([
      call({ item: "bicycle" }),
      { text: "100", usage: USAGE },
    ]);

    const answer = await ask({ tools: [lookUp(inputs)], max_tool_rounds: 3 });

    expect(inputs).toEqual([{ item: "bicycle" }]);
    expect(answer).toMatchObject({
      ok: true,
      value: {
        text: "100",
        finish_reason: "stop",
        tools_called: ["look_up"],
        usage: { input_tokens: 2_000, output_tokens: 400, cost_usd: 0.006 },
      },
    });
    const [first, second] = asked();
    expect(second?.body["messages"]).toMatchObject([
      {},
      {},
      { role: "assistant", tool_calls: [{ function: { name: "look_up" } }] },
      { role: "tool", content: '{"price":100}' },
    ]);
    expect(first?.headers["idempotency-key"]).toBe("t1.a1.s1");
    expect(second?.headers["idempotency-key"]).toMatch(/^t1\.a1\.s1\.\w{22}$/);
  });

  it.each([
    [{ item: 7 }, /\/item/],
    ["{not json", /./],
  ])("tell the model what is wrong with its input %j", async (input, said) => {
    const inputs: unknown[] = [];
    const { ask, asked } = await scripted([call(input), { text: "Sorry.", usage: USAGE }]);

    const answer = await ask({ tools: [lookUp(inputs)], max_tool_rounds: 3 });

    expect(inputs).toEqual([]);
    expect(answer).toMatchObject({ ok: true, value: { text: "Sorry.", tools_called: [] } });
    expect(asked()[1]?.body["messages"]).toMatchObject([
      {},
      {},
      {},
      { role: "tool", content: expect.stringMatching(said) },
    ]);
  });

  it("tell the model what they threw", async () => {
    const { ask, asked } = await scripted([call({ item: "x" }), { text: "No price." }]);
    const broken = {
      ...lookUp([]),
      run: async () => {
        throw new Error("the shop is closed");
      },
    };

    expect(await ask({ tools: [broken], max_tool_rounds: 3 })).toMatchObject({ ok: true });
    expect(JSON.stringify(asked()[1]?.body)).toContain("the shop is closed");
  });

  it("answer no more than a model can read", async () => {
    const { ask, asked } = await scripted([call({ item: "x" }), { text: "Long." }]);
    const long = { ...lookUp([]), run: async () => "y".repeat(200_000) };

    await ask({ tools: [long], max_tool_rounds: 3 });

    const text = JSON.stringify(asked()[1]?.body);
    expect(text.length).toBeLessThan(60_000);
    expect(text).toContain("[cut: 150000 more characters]");
  });

  it("end, and are cut short, for what a question may still use", async () => {
    const { ask, asked } = await scripted([
      { tool_calls: [{ name: "look_up", arguments: { item: "x" } }] },
      { text: "Long." },
    ]);
    const long = { ...lookUp([]), run: async () => "y".repeat(20_000) };
    const limit = { tokens: 6_000, cost_usd: null };

    const answer = await ask({ tools: [long], max_tool_rounds: 4, limit });

    expect(answer).toMatchObject({ ok: true, value: { text: "Long." } });
    const { input_tokens = 0, output_tokens = 0 } = answer.ok ? answer.value.usage : {};
    expect(input_tokens + output_tokens).toBeLessThan(6_000);
    expect(JSON.stringify(asked()[1]?.body)).toContain("characters left out");
    expect(asked().at(-1)?.body["tool_choice"]).toBe("none");
  });

  it("end for a model that never answers", async () => {
    const inputs: unknown[] = [];
    const { ask, asked } = await scripted([call({ item: "again" })]);

    const answer = await ask({ tools: [lookUp(inputs)], max_tool_rounds: 2 });

    expect(asked()).toHaveLength(3);
    expect(inputs).toHaveLength(2);
    expect(answer).toMatchObject({
      ok: true,
      value: { text: "", finish_reason: "tool_rounds", usage: { input_tokens: 3_000 } },
    });
    expect(asked().map(({ body }) => body["tool_choice"])).toEqual(["auto", "auto", "none"]);
  });

  it("are not kept from the model by a grammar, which is for its last answer", async () => {
    const { ask, asked } = await scripted([call({ item: "x" }), { text: '{"amount": 1}' }], {
      capabilities: ["text", "json", "tools"],
    });

    const answer = await ask({ tools: [lookUp([])], max_tool_rounds: 1, output_schema: NUMBER });

    expect(answer).toMatchObject({ ok: true, value: { value: { amount: 1 } } });
    expect(asked().map(({ body }) => "response_format" in body)).toEqual([false, true]);
  });
});
