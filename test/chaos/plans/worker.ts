import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { between } from "../draw.ts";
import type { Client, Reply } from "./client.ts";

/** Seconds of silence after which an attempt is taken away. */
export const HEARTBEAT_S = 6;

/** One that stopped comes back when its lease is long over. Milliseconds. */
const AWAY_MS = (HEARTBEAT_S + 3) * 1_000;

/** Between two steps of a long task, and how many there are. */
const STEP_MS = 250;
const LONG_STEPS = 12;

export const claimedSchema = z.object({
  task: z.object({ task_id: z.string(), tags: z.array(z.string()).default([]) }),
  lease: z.object({ token: z.string(), attempt: z.int() }),
});
/** A task and the right to run it, as a claim answers and a push brings. */
export type Claimed = z.infer<typeof claimedSchema>;

const claimSchema = z.object({ tasks: z.array(claimedSchema) });
const receiptSchema = z.object({ seq: z.int() });
const beatSchema = z.object({
  commands: z.array(z.object({ command_id: z.string(), command: z.string() })),
});

/** What the server said it had taken. */
export interface Accepted {
  tenant: string;
  task_id: string;
  type: string;
  seq: number;
}

/** What all workers of a run have in common. */
export interface Crew {
  draw: () => number;
  accepted: Accepted[];
  /** Refusals that no worker who keeps to the protocol may get. */
  unexpected: string[];
  /** Tasks that have had their question, or their failure. */
  once: Set<string>;
  /** Share of the attempts that stop in the middle; 0 when nobody dies at present. */
  death: () => number;
  isOver: () => boolean;
}

/** Of one who keeps to the protocol: the task was taken away, is over, or is held back by a command. */
const MAY_BE_REFUSED: ReadonlySet<number> = new Set([409, 410]);

const DATA: Record<string, unknown> = {
  task_started: { task_type: "general", estimated_duration: 60, complexity: "low" },
  task_completed: {
    result: { answer: 42 },
    execution_summary: "Came through the storm",
    metrics: { execution_time: 1, tokens_used: 0, cost: 0, quality_score: 0.9 },
    quality_assessment: { overall_score: 0.9 },
  },
  task_failed: {
    error_type: "bad_luck",
    error_message: "The first attempt fails",
    root_cause: { class: "other", detail: "As it was asked for", evidence: "its tag" },
    retry_recommended: true,
  },
  task_escalated: {
    escalation_reason: "Two readings are possible",
    escalation_level: "human",
    question: "Which one?",
    urgency: "medium",
  },
};

/** An executor over HTTP that says everything again until the server has taken or refused it. */
export class Worker {
  readonly agent_id: string;
  readonly #client: Client;
  readonly #crew: Crew;

  constructor(client: Client, agent_id: string, crew: Crew) {
    this.#client = client;
    this.agent_id = agent_id;
    this.#crew = crew;
  }

  /** Claims and performs until all is over. */
  async run(): Promise<void> {
    while (!this.#crew.isOver()) {
      const path = `/v1/agents/${this.agent_id}/claim`;
      const reply = await this.#client.ask("POST", path, { max_tasks: 2, wait_seconds: 2 });
      const { tasks } = claimSchema.parse(this.#body(path, reply) ?? { tasks: [] });
      await Promise.all(tasks.map((claimed) => this.perform(claimed)));
      if (tasks.length === 0) await pause(100);
    }
  }

  /** Performs one task as its tag asks for. */
  async perform(claimed: Claimed): Promise<void> {
    const attempt = new Attempt(this.#client, this.agent_id, claimed, this.#crew);
    const { draw, death, once } = this.#crew;
    const { task_id, tags } = claimed.task;
    const isDoomed = draw() < death();
    if (!(await attempt.say("task_started"))) return;
    if (isDoomed) {
      // Longer than its lease lasts: what it says then is late, and nothing may come of it.
      await pause(AWAY_MS);
    }
    if (tags.includes("long")) return attempt.longWork();
    await attempt.progress(1);
    await pause(between(draw, 20, 150));
    const trick = ["task_failed", "task_escalated"].find((name) => tags.includes(name));
    if (trick !== undefined && !once.has(`${this.#client.tenant}/${task_id}`)) {
      if (await attempt.say(trick)) once.add(`${this.#client.tenant}/${task_id}`);
      return;
    }
    await attempt.progress(2);
    await attempt.finish();
  }

  #body(path: string, reply: Reply): unknown {
    if (reply.ok) return reply.body;
    if (!MAY_BE_REFUSED.has(reply.status)) this.#crew.unexpected.push(`${path} ${reply.code}`);
    return null;
  }
}

/** One attempt of a worker at a task. */
class Attempt {
  readonly #client: Client;
  readonly #agent_id: string;
  readonly #claimed: Claimed;
  readonly #crew: Crew;
  #sequence = 0;

  constructor(client: Client, agent_id: string, claimed: Claimed, crew: Crew) {
    this.#client = client;
    this.#agent_id = agent_id;
    this.#claimed = claimed;
    this.#crew = crew;
  }

  progress(step: number): Promise<boolean> {
    return this.say("task_progress", { progress_percentage: 50, current_step: `step ${step}` });
  }

  /** Says it until it is taken; false when the attempt is not this worker's any more. */
  async say(notification_type: string, data = DATA[notification_type]): Promise<boolean> {
    const { task, lease } = this.#claimed;
    const { task_id } = task;
    this.#sequence += 1;
    const sequence = this.#sequence;
    const notification = {
      notification_id: `${task_id}-${lease.attempt}-${lease.token}-${sequence}`,
      notification_type,
      task_id,
      agent_id: this.#agent_id,
      timestamp: new Date().toISOString(),
      sequence,
      data,
    };
    const body = await this.#post("/v1/notifications", notification);
    if (body === null) return false;
    const { seq } = receiptSchema.parse(body);
    this.#crew.accepted.push({
      tenant: this.#client.tenant,
      task_id,
      type: notification_type,
      seq,
    });
    return true;
  }

  /** Works and beats, and does what it is told meanwhile. */
  async longWork(): Promise<void> {
    let isPaused = false;
    let acknowledged: string[] = [];
    for (let step = 1; step <= LONG_STEPS || (isPaused && step < 6 * LONG_STEPS); step += 1) {
      await pause(STEP_MS);
      const body = await this.#post(`${this.#path}/heartbeat`, { acknowledged });
      if (body === null) return;
      const { commands } = beatSchema.parse(body);
      acknowledged = commands.map(({ command_id }) => command_id);
      for (const { command } of commands) {
        if (command === "cancel") return this.#end("cancelled");
        if (command === "pause") isPaused = true;
        if (command === "resume") isPaused = false;
      }
      if (!isPaused && step % 4 === 0 && !(await this.progress(step))) return;
    }
    await this.finish();
  }

  async finish(): Promise<void> {
    if (await this.say("task_completed")) await this.#end("success");
  }

  get #path(): string {
    return `/v1/tasks/${this.#claimed.task.task_id}`;
  }

  async #end(reason: "success" | "cancelled"): Promise<void> {
    await this.#post(`${this.#path}/end`, {
      task_id: this.#claimed.task.task_id,
      agent_id: this.#agent_id,
      reason,
      timestamp: new Date().toISOString(),
      ...(reason === "success" && { quality_assessment: { overall_score: 0.9 } }),
    });
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const headers = { "lease-token": this.#claimed.lease.token };
    const reply = await this.#client.ask("POST", path, body, headers);
    if (reply.ok) return reply.body;
    if (!MAY_BE_REFUSED.has(reply.status)) this.#crew.unexpected.push(`${path} ${reply.code}`);
    return null;
  }
}
