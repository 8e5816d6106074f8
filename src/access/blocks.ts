import type { Log } from "../lib/log.ts";
import { instant } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Block } from "../protocol/block.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { OffenderDoor, StoredBlock } from "./offender-door.ts";
import { blockIdOf, keyParty, nameOfBlock, partOf, type PartyName } from "./party.ts";

/** What reading and lifting blocks needs. */
export interface BlocksPorts {
  /** The objects that keep the blocks of all addresses. */
  addressDoors: () => OffenderDoor[];
  /** The object that keeps a party. */
  door: (name: PartyName) => OffenderDoor;
  /** Has this isolate forget a block. */
  forget: (name: PartyName) => void;
  log: Log;
}

function viewOf({ name, offence, blocked_at, until, times }: StoredBlock): Block {
  return {
    block_id: blockIdOf(name),
    ...partOf(name),
    offence,
    blocked_at: instant(blocked_at),
    until: instant(until),
    times,
  };
}

/** Whether somebody may see and lift the block of a party: addresses are of all tenants, so the bootstrap key's. */
function isHis(by: Principal, name: PartyName): boolean {
  const { kind, tenant } = partOf(name);
  return by.isBootstrap || (kind === "key" && tenant === by.tenant);
}

/** The blocks in force, to be read and lifted. */
export function createBlocks(ports: BlocksPorts) {
  return {
    /** Of the keys of one's tenant and, with the bootstrap key, of addresses; in order of block_id. */
    async list(
      by: Principal,
      page: { cursor?: string | undefined; limit: number },
    ): Promise<{ items: Block[]; next_cursor: string | null }> {
      const after = nameOfBlock(page.cursor ?? "");
      const doors = [...(by.isBootstrap ? ports.addressDoors() : []), ports.door(keyParty(by))];
      const found = await Promise.all(doors.map((door) => door.blocks(after, page.limit + 1)));
      const rows = found.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const items = rows.slice(0, page.limit).map(viewOf);
      const hasMore = rows.length > page.limit;
      return { items, next_cursor: hasMore ? (items.at(-1)?.block_id ?? null) : null };
    },

    /** Ends a block: at once in this isolate, within seconds everywhere. Refused: block_not_found. */
    async lift(by: Principal, block_id: string): Promise<Result<null, Refusal>> {
      const name = nameOfBlock(block_id);
      const isLifted = isHis(by, name) && (await ports.door(name).lift(name));
      if (!isLifted) {
        return refuse({ code: "block_not_found", detail: "there is no such block in force" });
      }
      ports.forget(name);
      ports.log("info", "block_lifted", { block_id, key_id: by.key_id, tenant: by.tenant });
      return ok(null);
    },
  };
}
