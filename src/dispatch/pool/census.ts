import type { AgentCondition } from "../../protocol/pool-snapshot.ts";
import type { SnapshotFigures } from "../choice/placement.ts";
import { breakerState } from "../choice/push-breaker.ts";
import { successRate } from "../choice/reputation.ts";
import { freeSlots, ONLINE_MS, presenceState, STALE_MS } from "./pool.ts";
import type { Member } from "./pool.ts";
import type { ReadyLine } from "./ready-line.ts";

/** How an executor stands, as a snapshot shows it. */
export function conditionOf(member: Member, now: number): AgentCondition {
  const { agent, life, slots_in_use } = member;
  return {
    agent_id: agent.agent_id,
    state: agent.isDraining ? "draining" : presenceState(member, now),
    slots: agent.slots,
    slots_in_use,
    weight: agent.weight,
    breaker: agent.isPush ? breakerState(life.breaker, now) : null,
    success_rate: successRate(life.reputation),
  };
}

/** One executor as counted: what it adds to the sums, and until when that holds if nothing happens to it. */
interface Counted {
  print: number;
  mark: number;
  online: number;
  free: number;
  until: number;
}

/**
 * Counts the executors of a pool, and gives each state of the pool a name: equal states have equal names.
 *
 * Every decision names the state that it was made from, so counting must not cost more the more executors
 * there are: the sums are changed by those to whom something has happened since, and by those whose silence
 * has made them stale, and the name is made of sums of prints, whatever the order.
 */
export class Census {
  readonly #counted = new Map<string, Counted>();
  readonly #changed = new Set<string>();
  #until = Number.POSITIVE_INFINITY;
  #sum = { print: 0, mark: 0, online: 0, free: 0 };

  /** Something has happened to an executor. */
  note(agent_id: string): void {
    this.#changed.add(agent_id);
  }

  /** The figures and the name of the present state. */
  figures(
    now: number,
    pool: { line: ReadyLine; reserved: number; member: (agent_id: string) => Member | null },
  ): SnapshotFigures {
    if (now >= this.#until) {
      this.#until = Number.POSITIVE_INFINITY;
      for (const [agent_id, { until }] of this.#counted) {
        if (until <= now) this.#changed.add(agent_id);
        else this.#until = Math.min(this.#until, until);
      }
    }
    for (const agent_id of this.#changed) this.#count(agent_id, pool.member(agent_id), now);
    this.#changed.clear();
    const tasks = JSON.stringify([pool.line.counts, pool.line.oldestReadyAt, pool.reserved]);
    const [print, mark] = printOf(tasks);
    const name = hex(this.#sum.print + print) + hex(this.#sum.mark + mark);
    return {
      snapshot_id: `snap_${name}`,
      ready: pool.line.size,
      agents_online: this.#sum.online,
      slots_free: this.#sum.free,
    };
  }

  #count(agent_id: string, member: Member | null, now: number): void {
    const before = this.#counted.get(agent_id);
    if (before) this.#add(before, -1);
    this.#counted.delete(agent_id);
    if (member === null) return;
    const counted = countedOf(member, now);
    this.#counted.set(agent_id, counted);
    this.#add(counted, 1);
    this.#until = Math.min(this.#until, counted.until);
  }

  #add({ print, mark, online, free }: Counted, sign: 1 | -1): void {
    const sum = this.#sum;
    this.#sum = {
      print: (sum.print + sign * print) >>> 0,
      mark: (sum.mark + sign * mark) >>> 0,
      online: sum.online + sign * online,
      free: sum.free + sign * free,
    };
  }
}

function countedOf(member: Member, now: number): Counted {
  const condition = conditionOf(member, now);
  const [print, mark] = printOf(JSON.stringify(condition));
  const isOnline = condition.state === "online";
  return {
    print,
    mark,
    online: Number(isOnline),
    free: isOnline ? freeSlots(member.agent, member.slots_in_use) : 0,
    until: changesAt(member, now),
  };
}

/** When an executor's state changes by the mere passing of time, epoch ms. */
function changesAt({ last_seen_at, life }: Member, now: number): number {
  const seen = last_seen_at ?? Number.NEGATIVE_INFINITY;
  const instants = [seen + ONLINE_MS + 1, seen + STALE_MS + 1, life.breaker.open_until ?? 0];
  return Math.min(...instants.filter((at) => at > now));
}

/** Two 32-bit FNV-1a prints from different starts: enough to tell states apart, and cheap enough for each decision. */
function printOf(text: string): [number, number] {
  let [print, mark] = [0x81_1c_9d_c5, 0x01_00_01_93];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    print = Math.imul(print ^ code, 0x01_00_01_93);
    mark = Math.imul(mark ^ (code + index), 0x85_eb_ca_6b);
  }
  return [print >>> 0, mark >>> 0];
}

function hex(sum: number): string {
  return (sum >>> 0).toString(16).padStart(8, "0");
}
