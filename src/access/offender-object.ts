import { DurableObject } from "cloudflare:workers";

import { consoleLog } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import { added, FORGIVEN_MS, isEnough, sentence, type Tally } from "./offences.ts";
import type { OffenderDoor, Report, StoredBlock } from "./offender-door.ts";
import { findBlock, listBlocks, putBlock, removeBlock, removeEnded } from "./offender-store.ts";
import { partOf } from "./party.ts";
import { Recent } from "./recent.ts";

/** Callers whose offences are added up at a time. They are lost with the object's memory, blocks are not. */
const MAX_TALLIES = 10_000;
const TALLY_MS = 60_000;

/**
 * The blocks of the callers of one shard of all addresses, named `address/<shard>`, or of one tenant's keys, named
 * `key/<tenant>`: what all isolates have seen is added up here, and a block holds in all of them.
 *
 * A shard and not an address has an object, because a new object costs more than what an attack from a thousand
 * addresses could, and because a list of blocks needs no index of its own.
 */
export class OffenderObject extends DurableObject<Env> implements OffenderDoor {
  now: Clock = () => Date.now();
  readonly #tallies = new Recent<Tally>({ maxEntries: MAX_TALLIES, ttl_ms: TALLY_MS });
  readonly #log = consoleLog("offenders", () => this.now());

  async report(reports: readonly Report[], factor: number): Promise<number[]> {
    const now = this.now();
    const { untils, hasBlocked } = this.ctx.storage.transactionSync(() => {
      const judged = reports.map((report) => this.#judge(report, factor, now));
      return {
        untils: judged.map(({ until }) => until),
        hasBlocked: judged.some(({ isNew }) => isNew),
      };
    });
    // A later block is forgiven later than the one that the alarm waits for.
    if (hasBlocked && (await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(now + FORGIVEN_MS);
    }
    return untils;
  }

  async blockedUntil(name: string): Promise<number> {
    const until = findBlock(this.ctx.storage.sql, name)?.until ?? 0;
    return until > this.now() ? until : 0;
  }

  async blocks(after: string, limit: number): Promise<StoredBlock[]> {
    return listBlocks(this.ctx.storage.sql, { after, limit }, this.now());
  }

  async lift(name: string): Promise<boolean> {
    const found = findBlock(this.ctx.storage.sql, name);
    if (found === null || found.until <= this.now()) return false;
    removeBlock(this.ctx.storage.sql, name);
    return true;
  }

  override async alarm(): Promise<void> {
    const { storage } = this.ctx;
    const first = removeEnded(storage.sql, this.now() - FORGIVEN_MS);
    if (first === null) await storage.deleteAll();
    else await storage.setAlarm(first + FORGIVEN_MS);
  }

  #judge(report: Report, factor: number, now: number): { until: number; isNew: boolean } {
    const { sql } = this.ctx.storage;
    const { name, offence, points } = report;
    const former = findBlock(sql, name);
    if (former !== null && now < former.until) return { until: former.until, isNew: false };
    const tally = added(this.#tallies.get(name, now), points, now);
    if (!report.isEnough && !isEnough(tally, factor)) {
      this.#tallies.put(name, tally, now);
      return { until: 0, isNew: false };
    }
    this.#tallies.forget(name);
    const block = { name, offence, ...sentence(former, now) };
    putBlock(sql, block);
    this.#tell(block);
    return { until: block.until, isNew: true };
  }

  #tell({ name, offence, until, times }: StoredBlock): void {
    const { kind, tenant, subject } = partOf(name);
    const facts = { offence, until: instant(until), times, tenant };
    if (kind === "key") this.#log("warning", "key_blocked", { ...facts, key_id: subject });
    else this.#log("warning", "address_blocked", { ...facts, address: subject });
  }
}
