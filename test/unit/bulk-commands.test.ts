import { describe, expect, it } from "vitest";

import { createBulkCommands } from "../../src/dispatch/bulk-commands.ts";
import type { BulkCommandsParts } from "../../src/dispatch/bulk-commands.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { bulkCommandSchema } from "../../src/protocol/bulk-command.ts";
import { faultsOf } from "../../src/protocol/faults.ts";

const BY: Principal = { key_id: "k", tenant: "acme", scopes: ["orchestrate"], isBootstrap: false };
const ADMIN: Principal = { ...BY, scopes: ["admin"] };

function world(task_ids: string[], next_cursor: string | null = null) {
  const asked: unknown[] = [];
  const commanded: string[] = [];
  const parts: BulkCommandsParts = {
    find: async (tenant, query) => {
      asked.push({ tenant, ...query });
      return ok({ items: task_ids.map((task_id) => ({ task_id })), next_cursor });
    },
    command: async (_by, task_id, { command }) => {
      commanded.push(`${command} ${task_id}`);
      return task_id === "over"
        ? refuse({ code: "task_ended", detail: "" })
        : ok({ command_id: `cmd_${task_id}`, command, state: "requested", requested_at: "" });
    },
  };
  return { run: createBulkCommands(parts), asked, commanded };
}

const request = (more: object = {}) =>
  bulkCommandSchema.parse({ command: "cancel", filter: { tag: "red" }, ...more });

function pointersOf(body: object): string[] {
  const parsed = bulkCommandSchema.safeParse(body);
  return parsed.success ? [] : faultsOf(parsed.error, body).map(({ pointer }) => pointer);
}

describe("a command to many tasks", () => {
  it("is given to each that fits, and one that refuses does not stop the others", async () => {
    const { run, asked, commanded } = world(["a", "over", "b"], "next");

    const done = await run(BY, request({ limit: 3, cursor: "here" }));

    expect(asked).toEqual([{ tenant: "acme", tag: "red", limit: 3, cursor: "here" }]);
    expect(commanded).toEqual(["cancel a", "cancel over", "cancel b"]);
    expect(done).toEqual(
      ok({
        matched: 3,
        issued: [
          { task_id: "a", command_id: "cmd_a", state: "requested" },
          { task_id: "b", command_id: "cmd_b", state: "requested" },
        ],
        refused: [{ task_id: "over", code: "task_ended" }],
        next_cursor: "next",
      }),
    );
  });

  it("only tells which tasks are meant in a dry run", async () => {
    const { run, commanded } = world(["a", "b"]);

    const done = await run(BY, request({ dry_run: true }));

    expect(done).toMatchObject({
      ok: true,
      value: { matched: 2, task_ids: ["a", "b"], issued: [] },
    });
    expect(commanded).toEqual([]);
  });

  it("cancels everything for an admin alone", async () => {
    const { run, commanded } = world(["a"]);
    const everything = bulkCommandSchema.parse({ command: "cancel", all: true });

    expect(await run(BY, everything)).toMatchObject({ refusal: { code: "forbidden" } });
    expect(commanded).toEqual([]);
    await run(ADMIN, everything);
    expect(commanded).toEqual(["cancel a"]);
  });

  it.each([
    [{ command: "cancel" }, ["/filter"]],
    [{ command: "cancel", filter: {} }, ["/filter"]],
    [{ command: "pause", all: true }, ["/all"]],
    [{ command: "cancel", all: true, filter: { tag: "x" } }, ["/all"]],
    [{ command: "set_priority", filter: { tag: "x" } }, ["/priority"]],
    [{ command: "cancel", filter: { tag: "x" }, grant: { tokens: 1 } }, ["/grant"]],
    [{ command: "cancel", filter: { colour: "x" } }, ["/filter/colour", "/filter"]],
    [{ command: "cancel", filter: { tag: "x" }, limit: 501 }, ["/limit"]],
    [{ command: "set_priority", filter: { priority: "urgent" }, priority: "urgent" }, []],
  ])("%j has faults at %j", (body, pointers) => {
    expect(pointersOf(body)).toEqual(pointers);
  });
});
