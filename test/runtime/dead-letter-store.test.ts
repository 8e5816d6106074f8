import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { listDeadLetters, writeDeadLetters } from "../../src/history/dead-letter-store.ts";
import { at } from "../task-news.ts";
import { recordingDb } from "./recording-db.ts";

const bootstrap = { isBootstrap: true };

const letterOf = (second: number) => ({
  id: `message-${second}`,
  received_at: at(second),
  queue: "events",
  reason: "corrupt",
  body: "{}",
});

describe("dead letters", () => {
  it("are stored in one round trip and listed newest first, page by page", async () => {
    const recording = recordingDb(env.DB);
    await writeDeadLetters(recording.db, [letterOf(1), letterOf(3), letterOf(2)]);

    const first = await listDeadLetters(env.DB, bootstrap, { limit: 2 });
    const cursor = first.ok ? (first.value.next_cursor ?? "") : "";
    const second = await listDeadLetters(env.DB, bootstrap, { cursor, limit: 2 });

    expect(recording.trips()).toBe(1);
    expect(first).toMatchObject({ ok: true, value: { items: [letterOf(3), letterOf(2)] } });
    expect(second).toEqual({ ok: true, value: { items: [letterOf(1)], next_cursor: null } });
  });

  it("stay as they are when they come again", async () => {
    await writeDeadLetters(env.DB, [letterOf(9)]);

    await writeDeadLetters(env.DB, [{ ...letterOf(9), received_at: at(99) }]);

    const listed = await listDeadLetters(env.DB, bootstrap, { limit: 1 });
    expect(listed).toMatchObject({ ok: true, value: { items: [letterOf(9)] } });
  });

  it("are refused to everyone but the bootstrap key, because they are of all tenants", async () => {
    const listed = await listDeadLetters(env.DB, { isBootstrap: false }, { limit: 1 });

    expect(listed).toMatchObject({ ok: false, refusal: { code: "forbidden" } });
  });

  it("refuse a cursor that is not one", async () => {
    const listed = await listDeadLetters(env.DB, bootstrap, { cursor: "x", limit: 1 });

    expect(listed).toMatchObject({ ok: false, refusal: { code: "validation_failed" } });
  });
});
