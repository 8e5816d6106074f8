import { agentEndTaskSchema } from "../../src/protocol/agent-end-task.ts";
import { heartbeatSchema } from "../../src/protocol/agent.ts";
import type { ExecutorNotificationType } from "../../src/protocol/enums.ts";
import { notificationSchema } from "../../src/protocol/notification.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import type { Draw } from "./draw.ts";

/** A task that an executor believes it holds. */
export interface Job {
  task_id: string;
  token: string;
  isStarted: boolean;
  percentage: number;
  cost_usd: number;
  tokens: number;
  /** The next number of its own count, for executors that count. */
  sequence: number;
}

/** What an executor says of a job: a command to the task, and whether it lets go of the job with it. */
export interface Move {
  command: Command;
  isLast: boolean;
}

const DATA: Record<ExecutorNotificationType, JsonObject> = {
  task_started: { task_type: "general", estimated_duration: 20, complexity: "low" },
  task_progress: { current_step: "working" },
  task_completed: {
    result: { answer: 42 },
    execution_summary: "done",
    metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
    quality_assessment: { overall_score: 0.9 },
  },
  task_failed: {
    error_type: "broken",
    error_message: "it broke",
    root_cause: { class: "transient", detail: "it happens", evidence: "" },
  },
  task_escalated: {
    escalation_reason: "two ways",
    escalation_level: "orchestrator",
    question: "which way?",
    urgency: "low",
  },
};

/** An executor with slots, a clock of its own, and a memory that a crash empties. */
export class Executor {
  jobs: Job[] = [];
  /** Tokens of jobs that it has lost or let go of: a zombie goes on using them. */
  stale: Job[] = [];
  #sent = 0;

  readonly agent_id: string;
  readonly slots: number;
  /** How far its clock is ahead, milliseconds. */
  readonly #skewMs: number;
  readonly #isCounting: boolean;

  constructor(agent_id: string, of: { slots: number; skewMs: number; isCounting: boolean }) {
    this.agent_id = agent_id;
    this.slots = of.slots;
    this.#skewMs = of.skewMs;
    this.#isCounting = of.isCounting;
  }

  /** Takes a task that it was assigned. */
  take(task_id: string, token: string): void {
    const job = { isStarted: false, percentage: 0, cost_usd: 0, tokens: 0, sequence: 1 };
    this.jobs.push({ task_id, token, ...job });
  }

  /** Lets go of a job; its token may still be used. */
  drop(job: Job): void {
    this.jobs = this.jobs.filter((other) => other !== job);
    this.stale = [...this.stale, job].slice(-20);
  }

  /** Forgets everything, and comes back as if new. */
  crash(): void {
    this.stale = [...this.stale, ...this.jobs].slice(-20);
    this.jobs = [];
  }

  /** The next thing that it says of a job. */
  move(job: Job, draw: Draw, now: number): Move {
    if (!job.isStarted && !draw.happens(0.1)) {
      job.isStarted = true;
      return this.#notify(job, "task_started", now);
    }
    const kind = draw.weighted({
      beat: 30,
      progress: 30,
      complete: 12,
      fail: 6,
      decline: 2,
      escalate: 2,
      end: 4,
    });
    switch (kind) {
      case "beat":
        return this.#beat(job, draw);
      case "progress":
        job.percentage = Math.min(100, job.percentage + draw.between(0, 30));
        return this.#notify(job, "task_progress", now, { progress_percentage: job.percentage });
      case "complete":
        return { ...this.#notify(job, "task_completed", now), isLast: draw.happens(0.5) };
      case "fail":
        return { ...this.#notify(job, "task_failed", now), isLast: true };
      case "decline":
        return { command: { type: "decline", token: job.token, reason: "busy" }, isLast: true };
      case "escalate":
        return { ...this.#notify(job, "task_escalated", now), isLast: true };
      case "end":
        return this.#end(job, draw, now);
    }
  }

  #beat(job: Job, draw: Draw): Move {
    job.cost_usd += draw.between(0, 20) / 100;
    job.tokens += draw.between(0, 300);
    const usage = { cost_usd: job.cost_usd, tokens: job.tokens };
    const beat = heartbeatSchema.parse({ usage, checkpoint: { at: job.percentage } });
    return { command: { type: "heartbeat", token: job.token, beat }, isLast: false };
  }

  #end(job: Job, draw: Draw, now: number): Move {
    const end = agentEndTaskSchema.parse({
      task_id: job.task_id,
      agent_id: this.agent_id,
      timestamp: this.#timestamp(now),
      ...(draw.happens(0.7)
        ? { reason: "success", quality_assessment: { overall_score: 0.95 } }
        : {
            reason: "failure",
            error_information: { error_code: "gave_up", error_message: "it is too hard" },
          }),
    });
    return { command: { type: "end", token: job.token, end }, isLast: true };
  }

  #timestamp(now: number): string {
    return new Date(now + this.#skewMs).toISOString();
  }

  #notify(job: Job, type: ExecutorNotificationType, now: number, data: JsonObject = {}): Move {
    this.#sent += 1;
    const sequence = job.sequence;
    job.sequence += 1;
    const notification = notificationSchema.parse({
      notification_id: `${this.agent_id}-${this.#sent}`,
      notification_type: type,
      task_id: job.task_id,
      agent_id: this.agent_id,
      timestamp: this.#timestamp(now),
      ...(this.#isCounting && { sequence }),
      data: { ...DATA[type], ...data },
    });
    return { command: { type: "notify", token: job.token, notification }, isLast: false };
  }
}
