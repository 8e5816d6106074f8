import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import { ok } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import { spanIdOf, traceparentOf } from "../lib/trace-context.ts";
import type { Principal } from "../protocol/access.ts";
import type { ClaimRequest, Lease } from "../protocol/agent.ts";
import type { PushMessage } from "../protocol/queue-messages.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { attemptSpan } from "../protocol/span-names.ts";
import { poolAgentOf } from "./agents.ts";
import type { AgentRecord, Agents } from "./agents.ts";
import { askPools, giveBack } from "./claim-round.ts";
import type { PoolOffer, RoundOutcome } from "./claim-round.ts";
import type { PoolPort } from "./pool/pool-port.ts";

/** A task as its executor receives it, as JSON text, and its lease. */
export interface Assigned {
  task: string;
  lease: Lease;
  /** When the task's whole life is over: epoch milliseconds. Told to the built-in executor alone. */
  deadline_at: number;
  /** The same of contract.budget.max_duration_s; null where there is none, or until the first attempt has begun. */
  budget_ends_at: number | null;
  /** Of the request by which the task came in. */
  trace_id: string;
}

/** A task as a claim answers with it; `traceparent` names its attempt. */
interface ClaimedTask {
  task: unknown;
  lease: Lease;
  traceparent?: string;
}

/**
 * Asks the task's own object, which arbitrates, to assign it. `decision` is JSON text, the data of the
 * event task_routed. Refused when the task is not queued any more or another attempt is due.
 */
export type Assign = (
  tenant: string,
  task_id: string,
  to: { agent_id: string; attempt: number; decision: string },
) => Promise<Result<Assigned, Refusal>>;

/** What the dispatcher is built from. */
export interface DispatcherParts {
  now: Clock;
  newId: () => string;
  log: Log;
  pool: (tenant: string, pool: string) => PoolPort;
  claimant: Agents["claimant"];
  assign: Assign;
}

/** How a claim differs from a plain one. */
interface ClaimManner {
  /** Aborted when nobody waits for the answer any more: then nothing is assigned, and what was reserved goes back. */
  signal?: AbortSignal | undefined;
  /** An attempt of this executor that has just ended: its slot counts as free. */
  releasing?: { task_id: string; attempt: number } | undefined;
}

/** Use cases that give tasks to executors. */
export interface Dispatcher {
  /** Tasks for an external executor. The list is empty when none came in time. */
  claim: (
    by: Principal,
    agent_id: string,
    request: ClaimRequest,
    manner?: ClaimManner,
  ) => Promise<Result<{ tasks: ClaimedTask[] }, Refusal>>;
  /**
   * The task that a message of the queue `executions` or `pushes` speaks of, assigned to the executor that its
   * pool reserved it for; null when it did not, or not any more. A repeated message is refused by the task.
   */
  takeReserved: (message: PushMessage) => Promise<Result<Assigned | null, Refusal>>;
}

/** Rounds of one claim: each but the last was offered only what its tasks refused. */
const MOST_ROUNDS = 20;

/** Refusals after which no executor will be wanted for this attempt. */
const GONE: readonly string[] = ["task_ended", "task_not_found"];

/** The use cases between pools and tasks. */
export function createDispatcher(parts: DispatcherParts): Dispatcher {
  return {
    async claim(by, agent_id, request, manner = {}) {
      const found = await parts.claimant(by, agent_id, false);
      if (!found.ok) return found;
      return claimInRounds(parts, by, found.value, { ...request, ...manner });
    },
    async takeReserved({ tenant, pool: name, task_id, agent_id }) {
      const pool = parts.pool(tenant, name);
      const offer = await pool.reservation(task_id, agent_id);
      if (offer === null) return ok(null);
      const { attempt, decision } = offer;
      const assigned = await parts.assign(tenant, task_id, { agent_id, attempt, decision });
      // The other refusals may mean that this very reservation is at work already: queues repeat messages.
      if (!assigned.ok && GONE.includes(assigned.refusal.code)) {
        await pool.release(task_id, attempt, agent_id);
      }
      return assigned;
    },
  };
}

type Ask = ClaimRequest & ClaimManner;

type Claimed = Awaited<ReturnType<Dispatcher["claim"]>>;

/** Asks until there is a task, or the time is over: an offer that its task refuses, having ended, is no answer. */
async function claimInRounds(
  parts: DispatcherParts,
  by: Principal,
  record: AgentRecord,
  order: Ask,
): Promise<Claimed> {
  const { agent_id } = record;
  const until = parts.now() + order.wait_seconds * 1_000;
  let wait_seconds = order.wait_seconds;
  for (let count = 1; ; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each round waits for what the one before has left of the time
    const round = await collect(parts, by, record, { ...order, wait_seconds });
    if (!round.ok) return round;
    if (order.signal?.aborted === true) {
      // oxlint-disable-next-line no-await-in-loop -- the last thing that is done
      await giveBack(agent_id, round.value);
      return ok({ tasks: [] });
    }
    const offers = round.value.map((offer) => assignOffer(parts, by.tenant, agent_id, offer));
    // oxlint-disable-next-line no-await-in-loop -- whether there is another round depends on it
    const answers = await Promise.all(offers);
    const tasks = answers.flatMap(({ assigned }) => assigned);
    wait_seconds = Math.max(0, (until - parts.now()) / 1_000);
    const isAllRefused = answers.length > 0 && answers.every(({ isRefused }) => isRefused);
    if (!isAllRefused || wait_seconds === 0 || count === MOST_ROUNDS) return ok({ tasks });
  }
}

/** The offers of a claim. Pools that do not know the executor are told, as far as it is registered. */
async function collect(
  parts: DispatcherParts,
  by: Principal,
  record: AgentRecord,
  request: Ask,
): Promise<Result<PoolOffer[], Refusal>> {
  const first = await oneRound(parts, by.tenant, record, request);
  if (first.strangers.length === 0) return ok(first.offers);
  const fresh = await parts.claimant(by, record.agent_id, true);
  if (!fresh.ok) {
    await giveBack(record.agent_id, first.offers);
    return fresh;
  }
  const pools = new Set(fresh.value.registration.pools);
  const agent = poolAgentOf(fresh.value);
  const strangers = first.strangers.filter(({ name }) => pools.has(name));
  await Promise.all(strangers.map(({ pool }) => pool.register(agent)));
  if (first.offers.length > 0) return ok(first.offers);
  return ok((await oneRound(parts, by.tenant, fresh.value, request)).offers);
}

async function oneRound(
  parts: DispatcherParts,
  tenant: string,
  { agent_id, registration }: AgentRecord,
  { max_tasks, wait_seconds, signal, releasing }: Ask,
): Promise<RoundOutcome> {
  const names = [...new Set(registration.pools)];
  const pools = names.map((name) => ({ name, pool: parts.pool(tenant, name) }));
  const claim_id = parts.newId();
  // A pool that can't be told waits to the end; what comes of it goes back then.
  const stop = (): void =>
    void Promise.allSettled(pools.map(({ pool }) => pool.stopWaiting(claim_id)));
  signal?.addEventListener("abort", stop);
  try {
    return await askPools(pools, {
      agent_id,
      slots: registration.slots,
      max_tasks,
      // A second round after the signal would wait for nobody.
      wait_ms: signal?.aborted === true ? 0 : wait_seconds * 1_000,
      claim_id,
      turn: parts.now(),
      releasing,
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * One offer turned into a task, or nothing.
 *
 * A refusing task frees the slot at once. When its object can't be asked, the reservation stays: the task
 * may have been assigned, and if it was not, it will announce itself again.
 */
async function assignOffer(
  { assign, log }: DispatcherParts,
  tenant: string,
  agent_id: string,
  { task_id, attempt, decision, from }: PoolOffer,
): Promise<{ assigned: ClaimedTask[]; isRefused: boolean }> {
  try {
    const assigned = await assign(tenant, task_id, { agent_id, attempt, decision });
    if (assigned.ok) {
      const { lease, trace_id } = assigned.value;
      const task: unknown = JSON.parse(assigned.value.task);
      const traceparent = traceparentOf(
        trace_id,
        await spanIdOf(trace_id, attemptSpan(task_id, attempt)),
      );
      const claimed = { task, lease, ...(traceparent !== null && { traceparent }) };
      return { assigned: [claimed], isRefused: false };
    }
    log("info", "offer_refused", { tenant, task_id, agent_id, code: assigned.refusal.code });
    await from.pool.release(task_id, attempt, agent_id);
    return { assigned: [], isRefused: true };
  } catch (cause) {
    log("error", "offer_not_assigned", { tenant, task_id, agent_id, cause: String(cause) });
  }
  return { assigned: [], isRefused: false };
}
