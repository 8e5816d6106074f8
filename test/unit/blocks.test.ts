import { describe, expect, it } from "vitest";

import { createBlocks } from "../../src/access/blocks.ts";
import type { OffenderDoor } from "../../src/access/offender-door.ts";

/** Blocks over one door that lifts whatever it is asked to. */
function newBlocks() {
  const lifted: string[] = [];
  const door: OffenderDoor = {
    report: async () => [],
    blockedUntil: async () => 0,
    blocks: async () => [],
    lift: async (name) => lifted.push(name) > 0,
  };
  const blocks = createBlocks({
    addressDoors: () => [door],
    door: () => door,
    forget: () => {},
    log: () => {},
  });
  return { blocks, lifted };
}

const admin = { key_id: "key_1", tenant: "acme", scopes: ["admin" as const], isBootstrap: false };

describe("lifting a block", () => {
  it.each([
    ["key~acme~key_2", true],
    ["key~other~key_2", false],
    ["address~203.0.113.9", false],
    ["nonsense", false],
  ])("of %s is an admin's of the tenant acme: %s", async (block_id, isHis) => {
    const { blocks, lifted } = newBlocks();

    expect((await blocks.lift(admin, block_id)).ok).toBe(isHis);
    expect(lifted).toHaveLength(Number(isHis));
  });
});
