import type { AttemptOutcome } from "../../protocol/attempt-outcome.ts";
import type { PoolSnapshot } from "../../protocol/pool-snapshot.ts";
import type { Candidate, Outlook } from "../choice/placement.ts";
import type { PushOutcome } from "../choice/push-breaker.ts";
import type { PoolAgent, PoolItem, presenceOf } from "./pool.ts";

/** A task that is reserved for who asked. `decision` is the JSON text of task_routed's data. */
export interface Offer {
  task_id: string;
  attempt: number;
  decision: string;
}

/** What an executor asks of one pool. */
export interface ClaimOrder {
  agent_id: string;
  max_tasks: number;
  /** How long to wait for a task when there is none, in milliseconds. */
  wait_ms: number;
  /** Names the wait, so that `stopWaiting` can end it. */
  claim_id?: string;
  /** Slots of this executor that other pools hold. */
  slots_elsewhere?: number;
  /** What the executor holds and says is done: its slot is free at once. */
  releasing?: { task_id: string; attempt: number };
}

/** `known` is false when the pool does not know the executor: register it and ask again. */
export interface ClaimOutcome {
  known: boolean;
  offers: Offer[];
}

/** How an executor is doing in one pool. `last_seen_at` is epoch ms. */
export type AgentPresence = ReturnType<typeof presenceOf>;

/** Where a task stands in its pool. */
export interface PoolExplanation extends Outlook {
  state: "ready" | "reserved";
  /** Place in the queue from 1; null once it is reserved. */
  position: number | null;
  /** The best executors for it and why each can or can't have it, `MAX_CANDIDATES` at most. */
  candidates: Candidate[];
  /** JSON text of the decision once it is reserved. */
  decision: string | null;
}

/** A pool as others call it, over RPC. Every call may be repeated. */
export interface PoolPort {
  /** Makes an executor known, or changes what is known of it. */
  register(agent: PoolAgent): Promise<void>;
  /** Offers an executor nothing more. Slots that it holds stay held until they are released. */
  deregister(agent_id: string): Promise<void>;
  /** A task says that it is queued and wants an executor. */
  announce(item: PoolItem): Promise<void>;
  /**
   * The attempt is over or the task wants no executor any more; with an agent_id, only if it holds it.
   * The outcome goes into the reputation of the executor that held it.
   */
  release(
    task_id: string,
    attempt: number,
    agent_id?: string,
    outcome?: AttemptOutcome,
  ): Promise<void>;
  /** An executor asks for tasks: what fits, in order, within its free slots. */
  claim(order: ClaimOrder): Promise<ClaimOutcome>;
  /** Ends the waits of this claim with an empty answer. */
  stopWaiting(claim_id: string): Promise<void>;
  /** Puts a reserved task that was never assigned back in its place. */
  giveBack(task_id: string, attempt: number, agent_id: string): Promise<void>;
  /** What came of one push to an executor. What was not accepted is given back or declined besides. */
  pushed(agent_id: string, outcome: PushOutcome): Promise<void>;
  /** The offer that an executor holds for a task, or null. */
  reservation(task_id: string, agent_id: string): Promise<Offer | null>;
  /** How the executors are doing: all, or one. */
  presence(agent_id?: string): Promise<AgentPresence[]>;
  /** Why a task waits, or null when the pool does not know it. */
  explain(task_id: string): Promise<PoolExplanation | null>;
  /** The state of the pool; null when no external executor and no task has ever come, or none is left. */
  snapshot(): Promise<PoolSnapshot | null>;
}
