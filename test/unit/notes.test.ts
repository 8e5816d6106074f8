import { describe, expect, it } from "vitest";

import { createNotes } from "../../src/dispatch/notes.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Result } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { MOST_NOTED, noteKeySchema } from "../../src/protocol/notes.ts";
import type { NotesCall } from "../../src/protocol/notes.ts";
import type { Refusal } from "../../src/protocol/refusal.ts";
import { bytesOf, noteReader, noteWriter, roomFault } from "../../src/task/notes.ts";
import { IN_PHASE, stateOf } from "../task-life.ts";

const codeOf = (done: Result<unknown, Refusal>): string => (done.ok ? "ok" : done.refusal.code);

describe("who may change notes", () => {
  it.each([
    ["awaiting_approval", "lease_lost"],
    ["queued", "lease_lost"],
    ["assigned", "ok"],
    ["executing", "ok"],
    ["awaiting_input", "lease_lost"],
    ["retry_wait", "lease_lost"],
    ["finalizing", "task_ended"],
    ["ended", "task_ended"],
  ] as const)("in phase %s is told: %s, with the token of the first attempt", (phase, told) => {
    expect(codeOf(noteWriter(stateOf(IN_PHASE[phase]()), "token-1"))).toBe(told);
  });

  it("has no other token, and not none", () => {
    const state = stateOf(IN_PHASE.executing());

    expect(["token-2", "", null].map((token) => codeOf(noteWriter(state, token)))).toEqual(
      Array(3).fill("lease_lost"),
    );
  });

  it("is named, with the attempt, by the lease", () => {
    const state = stateOf(IN_PHASE.executing());

    expect(noteWriter(state, "token-1")).toMatchObject({ value: { agent_id: "ann", attempt: 1 } });
  });
});

describe("who reads notes", () => {
  it("by a lease must hold it, and by a key is not asked for one", () => {
    const state = stateOf(IN_PHASE.executing());

    expect(
      ["token-1", null, "token-2", ""].map((token) => codeOf(noteReader(state, token))),
    ).toEqual(["ok", "ok", "lease_lost", "lease_lost"]);
  });
});

describe("the room for notes", () => {
  const { note_bytes, bytes: most, notes } = MOST_NOTED;
  const fault = (use: { notes?: number; bytes?: number; own?: number | null }, bytes: number) =>
    roomFault({ notes: 0, bytes: 0, own: null, ...use }, bytes)?.extra ?? {};

  it.each([
    ["the largest note", {}, note_bytes, {}],
    ["one byte more", {}, note_bytes + 1, { used: 0, limit: note_bytes, would_fit: note_bytes }],
    ["the last byte", { notes: 9, bytes: most - 10 }, 10, {}],
    ["a byte too many", { notes: 9, bytes: most - 10 }, 11, { used: most - 10, would_fit: 10 }],
    ["what is replaced", { notes: 9, bytes: most, own: 500 }, 500, {}],
    [
      "more than what is replaced",
      { notes: 9, bytes: most, own: 500 },
      501,
      { resource: "bytes", used: most - 500, limit: most, would_fit: 500 },
    ],
    ["the last note", { notes: notes - 1 }, 1, {}],
    ["a note too many", { notes }, 1, { resource: "notes", used: notes, limit: notes }],
    ["the same note again", { notes, own: 1 }, 1, {}],
  ])("counts %s", (_what, use, bytes, extra) => {
    const told = fault(use, bytes);

    expect(Object.keys(told)).toHaveLength(Object.keys(extra).length === 0 ? 0 : 4);
    expect(told).toMatchObject(extra);
  });

  it("is counted in bytes of UTF-8, not in characters", () => {
    expect([bytesOf("é"), bytesOf("😀"), bytesOf(null), bytesOf({ a: 1 })]).toEqual([4, 6, 4, 7]);
  });
});

describe("the key of a note", () => {
  it.each(["plan", "a.b", "step:2", "__proto__", "-", "k".repeat(100)])("may be %s", (key) => {
    expect(noteKeySchema.safeParse(key).success).toBe(true);
  });

  it.each(["", ".", "..", ".hidden", "a/b", "a b", "é", "a\n", "a%2Fb", "k".repeat(101)])(
    "may not be %j",
    (key) => {
      expect(noteKeySchema.safeParse(key).success).toBe(false);
    },
  );
});

const BY: Principal = { key_id: "k", tenant: "acme", scopes: ["execute"], isBootstrap: false };
const UNKNOWN: Refusal = { code: "task_not_found", detail: "" };
const LIST = JSON.stringify({ items: [], bytes_used: 7, bytes_limit: MOST_NOTED.bytes });

/** A task that is held with `token`, and what its object was asked. */
function world({ isReadable = true, isEmptied = false } = {}) {
  const asked: NotesCall[] = [];
  const notes = createNotes({
    view: async () => (isReadable ? ok(null) : refuse(UNKNOWN)),
    ask: async (_tenant, _task_id, call) => {
      asked.push(call);
      if (isEmptied) return refuse(UNKNOWN);
      if (call.token !== null && call.token !== "token") {
        return refuse({ code: "lease_lost", detail: "" });
      }
      if (call.call === "list") return ok(LIST);
      return refuse({ code: "note_not_found", detail: "" });
    },
  });
  return { notes, asked };
}

describe("reading notes", () => {
  const at = (token: string | null) => ({ task_id: "t1", token });

  it("needs no lease for a key that may read the task, and does not mind one that is over", async () => {
    const { notes, asked } = world();

    expect(await notes.list(BY, at("stale"))).toMatchObject({ value: { bytes_used: 7 } });
    expect(asked).toEqual([{ call: "list", token: null }]);
  });

  it("is allowed by the lease where the key alone is not enough", async () => {
    const { notes } = world({ isReadable: false });

    expect(codeOf(await notes.list(BY, at("token")))).toBe("ok");
    expect(codeOf(await notes.get(BY, at("token"), "plan"))).toBe("note_not_found");
  });

  it("tells nobody else that there is a task", async () => {
    const { notes, asked } = world({ isReadable: false });

    expect(codeOf(await notes.list(BY, at(null)))).toBe("task_not_found");
    expect(asked).toEqual([]);
    expect(codeOf(await notes.get(BY, at("stale"), "plan"))).toBe("task_not_found");
  });

  it("does not take a task that only history still has for one on which nothing is noted", async () => {
    const { notes } = world({ isEmptied: true });

    expect(codeOf(await notes.list(BY, at(null)))).toBe("task_not_found");
    expect(codeOf(await notes.get(BY, at(null), "plan"))).toBe("task_not_found");
  });
});
