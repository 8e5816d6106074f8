import type { ClaimOrder, Offer, PoolPort } from "./pool/pool-port.ts";

/** A pool by its name. */
export interface NamedPool {
  name: string;
  pool: PoolPort;
}

/** One claim over all pools of an executor. */
export interface Round {
  agent_id: string;
  /** Slots of the executor in all its pools together. */
  slots: number;
  max_tasks: number;
  wait_ms: number;
  claim_id: string;
  /** Which pool is asked first; a number that moves on with every claim makes the pools take turns. */
  turn: number;
  /** An attempt of the executor that is over, whichever pool it was from. */
  releasing?: { task_id: string; attempt: number } | undefined;
}

/** An offer and the pool it came from. */
export type PoolOffer = Offer & { from: NamedPool };

/** What a round brought, and the pools that do not know the executor. */
export interface RoundOutcome {
  offers: PoolOffer[];
  strangers: NamedPool[];
}

/**
 * Asks the pools of an executor for at most `max_tasks` tasks, waiting at most `wait_ms`.
 *
 * One pool is asked once. Several are asked in turn without waiting, then waited on all at once: the first
 * answer ends the other waits. A pool counts its own slots only, so after tasks of several pools are
 * reserved the slots are counted over all of them, and what is too much goes back. Two rounds at one time
 * both reserve before they count, hence at least one of them sees the other.
 *
 * @throws whatever a pool throws, if none of them answers with an offer
 */
export async function askPools(pools: readonly NamedPool[], round: Round): Promise<RoundOutcome> {
  const [only, ...others] = pools;
  if (only === undefined) return { offers: [], strangers: [] };
  const { releasing, wait_ms } = round;
  if (others.length === 0) {
    return ask(only, round, round.max_tasks, { wait_ms, ...(releasing && { releasing }) });
  }
  if (releasing !== undefined) await freeSlot(pools, round, releasing);
  const elsewhere = await slotsInUse(pools, round.agent_id);
  const swept = await sweep(inTurn(pools, round.turn), round, elsewhere);
  const isDone = swept.offers.length > 0 || swept.strangers.length > 0 || round.wait_ms <= 0;
  const found = isDone ? swept : await waitOnAll(pools, round, elsewhere);
  return { ...found, offers: await withinSlots(pools, round, found.offers) };
}

/** Frees the slot first in whichever pool it is: each of them counts what the others hold. */
async function freeSlot(
  pools: readonly NamedPool[],
  round: Round,
  releasing: { task_id: string; attempt: number },
): Promise<void> {
  await Promise.all(pools.map((from) => ask(from, round, 0, { wait_ms: 0, releasing })));
}

/** Gives offers back to the pools they came from. */
export async function giveBack(agent_id: string, offers: readonly PoolOffer[]): Promise<void> {
  await Promise.all(
    offers.map(({ from, task_id, attempt }) => from.pool.giveBack(task_id, attempt, agent_id)),
  );
}

function inTurn(pools: readonly NamedPool[], turn: number): NamedPool[] {
  const start = Math.abs(turn) % pools.length;
  return [...pools.slice(start), ...pools.slice(0, start)];
}

async function ask(
  from: NamedPool,
  round: Round,
  max_tasks: number,
  how: Pick<ClaimOrder, "wait_ms" | "slots_elsewhere" | "releasing">,
): Promise<RoundOutcome> {
  const { agent_id, claim_id } = round;
  const outcome = await from.pool.claim({ agent_id, max_tasks, claim_id, ...how });
  return {
    offers: outcome.offers.map((offer) => ({ ...offer, from })),
    strangers: outcome.known ? [] : [from],
  };
}

async function sweep(
  pools: readonly NamedPool[],
  round: Round,
  inUse: ReadonlyMap<NamedPool, number>,
): Promise<RoundOutcome> {
  const offers: PoolOffer[] = [];
  const strangers: NamedPool[] = [];
  for (const from of pools) {
    if (offers.length >= round.max_tasks) break;
    const slots_elsewhere = total(inUse) - (inUse.get(from) ?? 0) + offers.length;
    const how = { wait_ms: 0, slots_elsewhere };
    // One after the other, because each answer lowers what the next pool may give.
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await ask(from, round, round.max_tasks - offers.length, how);
    offers.push(...outcome.offers);
    strangers.push(...outcome.strangers);
  }
  return { offers, strangers };
}

async function waitOnAll(
  pools: readonly NamedPool[],
  round: Round,
  inUse: ReadonlyMap<NamedPool, number>,
): Promise<RoundOutcome> {
  const stopOthers = async (answered: NamedPool) => {
    const rest = pools.filter((other) => other !== answered);
    await Promise.allSettled(rest.map(({ pool }) => pool.stopWaiting(round.claim_id)));
  };
  const settled = await Promise.allSettled(
    pools.map(async (from) => {
      const slots_elsewhere = total(inUse) - (inUse.get(from) ?? 0);
      const outcome = await ask(from, round, round.max_tasks, {
        wait_ms: round.wait_ms,
        slots_elsewhere,
      });
      if (outcome.offers.length > 0) await stopOthers(from);
      return outcome;
    }),
  );
  const outcomes = settled.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  const offers = outcomes.flatMap((outcome) => outcome.offers);
  const failed = settled.find((one) => one.status === "rejected");
  // What is reserved in the pools that answered must not be lost with the one that did not.
  if (failed && offers.length === 0) throw failed.reason;
  return { offers, strangers: outcomes.flatMap((outcome) => outcome.strangers) };
}

async function withinSlots(
  pools: readonly NamedPool[],
  round: Round,
  offers: PoolOffer[],
): Promise<PoolOffer[]> {
  if (offers.length === 0) return offers;
  const excess = total(await slotsInUse(pools, round.agent_id)) - round.slots;
  const kept = Math.max(0, Math.min(round.max_tasks, offers.length - Math.max(0, excess)));
  await giveBack(round.agent_id, offers.slice(kept));
  return offers.slice(0, kept);
}

async function slotsInUse(
  pools: readonly NamedPool[],
  agent_id: string,
): Promise<ReadonlyMap<NamedPool, number>> {
  const counted = pools.map(async (from): Promise<[NamedPool, number]> => {
    const [presence] = await from.pool.presence(agent_id);
    return [from, presence?.slots_in_use ?? 0];
  });
  return new Map(await Promise.all(counted));
}

function total(inUse: ReadonlyMap<NamedPool, number>): number {
  return [...inUse.values()].reduce((sum, count) => sum + count, 0);
}
