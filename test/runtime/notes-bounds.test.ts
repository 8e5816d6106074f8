import { describe, expect, it } from "vitest";

import { MOST_NOTED } from "../../src/protocol/notes.ts";
import { call } from "./batuta.ts";
import { NOTHING, isNoted, list, problemOf, put, working } from "./noter.ts";

describe("notes of any size and name", () => {
  it("have bounds: what is beyond them is refused with what would fit, and changes nothing", async () => {
    const executor = await working();
    const { note_bytes } = MOST_NOTED;
    const textOf = (bytes: number): string => "x".repeat(bytes - 2);
    const full = ["a", "b", "c"];
    for (const key of full) await put(executor, key, textOf(note_bytes));
    await put(executor, "d", textOf(note_bytes - 100));

    const tooLarge = await put(executor, "a", textOf(note_bytes + 1));
    const tooMuch = await put(executor, "e", textOf(101));
    const fits = await put(executor, "e", textOf(100));

    expect(problemOf(tooLarge)).toEqual([422, "notes_full"]);
    expect(tooLarge.body).toMatchObject({ limit: 65_536, would_fit: 65_536 });
    expect(problemOf(tooMuch)).toEqual([422, "notes_full"]);
    expect(tooMuch.body).toMatchObject({
      used: 262_044,
      limit: 262_144,
      would_fit: 100,
      errors: [{ pointer: "/value", expected: "at most 100 bytes", received: "101 bytes" }],
    });
    expect(fits.status).toBe(200);
    const { items, bytes_used } = await list(executor.task_id);
    expect(items.map(({ key }) => key)).toEqual([...full, "d", "e"]);
    expect(bytes_used).toBe(262_144);
  });

  it.each([
    ["%2e%2e", 404, "not_found"],
    [".%2E", 404, "not_found"],
    ["a%2Fb", 400, "validation_failed"],
    ["..%2F..%2Fother", 400, "validation_failed"],
    [".env", 400, "validation_failed"],
    ["caf%C3%A9", 400, "validation_failed"],
    ["%F0%9F%98%80", 400, "validation_failed"],
    ["%FF", 400, "validation_failed"],
    ["a%00b", 400, "validation_failed"],
    ["a%20b", 400, "validation_failed"],
    ["k".repeat(101), 400, "validation_failed"],
  ])("cannot be called %s", async (key, status, code) => {
    const executor = await working();

    const refused = await put(executor, key, 1);

    expect(problemOf(refused)).toEqual([status, code]);
    expect(await list(executor.task_id)).toEqual(NOTHING);
    expect(await isNoted(executor.task_id)).toBe(false);
  });

  it("may have names that mean something elsewhere", async () => {
    const executor = await working();
    const keys = ["__proto__", "constructor", "a..b", "toString", "-", ":"];

    for (const key of keys) await put(executor, key, { key });

    const { items } = await list(executor.task_id);
    expect(items.map(({ key }) => key)).toEqual(keys.toSorted());
    for (const { key, value } of items) expect(value).toEqual({ key });
  });

  it("lose none that are written at the same time, and keep one whole value of each key", async () => {
    const executor = await working();
    const keys = ["a", "b", "c", "d"];
    const values = [1, 2, 3, 4, 5];

    const answers = await Promise.all(
      keys.flatMap((key) => values.map((value) => put(executor, key, { key, value }))),
    );

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const { items } = await list(executor.task_id);
    expect(items.map(({ key }) => key)).toEqual(keys);
    for (const { key, value } of items) {
      expect(values.map((one) => ({ key, value: one }))).toContainEqual(value);
    }
  });

  it("need a value and nothing else", async () => {
    const executor = await working();
    const address = `/v1/tasks/${executor.task_id}/notes/plan`;

    const refused = [
      await call("PUT", address, {}, executor.lease),
      await call("PUT", address, { value: 1, ttl: 5 }, executor.lease),
      await call("PUT", address, { value: { ["__proto__"]: 1 } }, executor.lease),
    ];

    expect(refused.map(problemOf)).toEqual(Array(3).fill([400, "validation_failed"]));
    expect(refused[0]?.body).toMatchObject({ errors: [{ pointer: "/value" }] });
    expect(refused[1]?.body).toMatchObject({ errors: [{ pointer: "/ttl" }] });
    expect(refused[2]?.body).toMatchObject({ errors: [{ pointer: "/value/__proto__" }] });
  });
});
