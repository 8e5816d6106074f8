import type { Log } from "../lib/log.ts";
import type { AttemptOutcome } from "../protocol/attempt-outcome.ts";
import type { InstalledEndPhases } from "../protocol/end-phases.ts";
import type { EndedRun } from "../protocol/ended-run.ts";
import type { EndReason, Priority, TaskType } from "../protocol/enums.ts";
import type { ChildReport, Outcome } from "../protocol/kin.ts";
import type { HistoryMessage } from "../protocol/queue-messages.ts";
import type { Requires } from "../protocol/requires.ts";
import type { Hop } from "../protocol/span-names.ts";
import type { Objective } from "../protocol/task-execution.ts";
import type { Actor, TaskEvent } from "../protocol/task-view.ts";
import type { Origin } from "./machine/state.ts";

/** What a submission consists of; `task` is the parsed request as JSON text. */
export interface Submission {
  origin: Origin;
  task: string;
  actor: Actor;
  /** The request that it came by, as a span. */
  hop?: Hop;
  /** History knows a task of this id that has ended: an object without it was emptied, and creates none. */
  is_known?: true;
}

/** A task for an executor; `decision` says as JSON text why it is this one. */
export interface Offer {
  agent_id: string;
  attempt: number;
  decision: string;
}

/** A task's wish for an executor. Repeating it changes nothing. */
export interface Announcement {
  task_id: string;
  /** Number of the attempt to come. */
  attempt: number;
  priority: Priority;
  task_type: TaskType;
  requires: Requires | null;
  declined_by: string[];
  /** Since when it waits for an attempt that starts, epoch milliseconds. */
  ready_at: number;
  /** When an executor gave it back the last time since then, epoch milliseconds. */
  free_again_at?: number;
  /** After this many seconds a reserved slot is free again by itself. */
  slot_seconds: number;
  /** Seconds before an executor that gave it back may have it again. */
  retry_delay: number;
  /** What the choice of an executor is to favour. */
  objective: Objective;
  /** Tasks that it belongs with, and `session/<id>` of the orchestrator's session. */
  affinity: string[];
}

/** A slot that is free again, and how the attempt went if there was one. */
interface Freed {
  task_id: string;
  attempt: number;
  outcome: AttemptOutcome | null;
}

/** Notifications for the world, with what endpoints filter by. */
export interface News {
  tenant: string;
  task: {
    task_id: string;
    task_type: TaskType;
    priority: Priority;
    agent_id: string | null;
    tags: string[];
    stakeholders: string[];
    callback_url: string | null;
  };
  events: TaskEvent[];
}

/** By what the endpoints of a task are found, whoever of its executors the news were of. */
export interface Audience extends Pick<
  News["task"],
  "task_type" | "tags" | "stakeholders" | "callback_url"
> {
  /** Every executor that has held it. */
  holders: string[];
}

/** Why a parent, a batch or a gate wants a task to end, in its words. */
export interface StopOrder {
  reason: EndReason;
  message: string;
}

/** The other tasks and the batch that a task has to do with. All of it may be repeated. */
export interface KinPorts {
  /**
   * How a task stands, or null when there is none. `waiter` is poked when that task has ended; null when nobody
   * wants to be.
   */
  outcomeOf(tenant: string, task_id: string, waiter: string | null): Promise<Outcome | null>;
  /** Something that the task waits for may have changed. */
  poke(tenant: string, task_id: string): Promise<void>;
  /** Whether the parent has this child; false tells the child that it was never adopted. */
  tellParent(tenant: string, parent_task_id: string, report: ChildReport): Promise<boolean>;
  /** `from` is the parent or the batch that wants it; the task obeys nobody else. */
  stop(tenant: string, task_id: string, stop: StopOrder & { from: string }): Promise<void>;
  /** Whether a batch lets its task go; `stop` when it never will. */
  gateOfBatch(
    tenant: string,
    batch_id: string,
    task_id: string,
  ): Promise<{ is_open: boolean; stop?: StopOrder }>;
  /** A task of the batch has ended. */
  tellBatch(tenant: string, batch_id: string, outcome: Outcome): Promise<void>;
}

/** What a task's object needs from other rooms; services.ts builds it. All of it may be repeated. */
export interface TaskPorts extends KinPorts {
  announce(tenant: string, pool: string, announcement: Announcement): Promise<void>;
  release(tenant: string, pool: string, freed: Freed): Promise<void>;
  publish(news: News): Promise<void>;
  record(message: HistoryMessage): Promise<void>;
  /**
   * Up to which seq history has the task that was created then, without gaps; null where another one of the id is in its
   * place.
   */
  recordedTo(tenant: string, task_id: string, created_at: string): Promise<number | null>;
  /** Which of these webhooks do not exist any more. */
  missingStakeholders(tenant: string, webhook_ids: readonly string[]): Promise<string[]>;
  /** Writes what the built-in executor learned from an ended task. */
  remember(tenant: string, run: EndedRun): Promise<void>;
  /** How long end phases may take in this installation. */
  endPhases: InstalledEndPhases;
  /** How long after its end a task's object keeps it; from then on history answers. Milliseconds. */
  retentionMs: number;
  /** How long after its end history may have forgotten that there was a task; null: it never does. Milliseconds. */
  forgottenMs: number | null;
  log: Log;
}
