import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import type { Api } from "./api.ts";
import { between } from "./draw.ts";

/** Between two steps, milliseconds. */
const SHORTEST_STEP_MS = 100;
const LONGEST_STEP_MS = 400;

/** No task says more than this, however long the storm. */
const MOST_STEPS = 500;

const claimSchema = z.object({
  tasks: z.array(
    z.object({
      task: z.object({ task_id: z.string() }),
      lease: z.object({ token: z.string() }),
    }),
  ),
});
const receiptSchema = z.object({ seq: z.int() });

/** What the server said it had taken. */
export interface Accepted {
  task_id: string;
  type: string;
  seq: number;
}

/** An executor over HTTP that says everything again until the server has taken it. */
export class Executor {
  readonly accepted: Accepted[] = [];
  readonly #api: Api;
  readonly #agent_id: string;
  readonly #draw: () => number;
  #task_id = "";
  #lease: Record<string, string> = {};
  #sequence = 0;

  constructor(api: Api, agent_id: string, draw: () => number) {
    this.#api = api;
    this.#agent_id = agent_id;
    this.#draw = draw;
  }

  async register(capability: string): Promise<void> {
    await this.#api.call("PUT", `/v1/agents/${this.#agent_id}`, {
      capabilities: [capability],
      slots: 2,
    });
  }

  /** False when there is no task. An answer that a crash swallows would keep its task until the lease is over. */
  async claim(): Promise<boolean> {
    const path = `/v1/agents/${this.#agent_id}/claim`;
    const answer = await this.#api.call("POST", path, { max_tasks: 1, wait_seconds: 2 });
    const [claimed] = claimSchema.parse(answer).tasks;
    if (claimed === undefined) return false;
    this.#task_id = claimed.task.task_id;
    this.#lease = { "lease-token": claimed.lease.token };
    this.#sequence = 0;
    return true;
  }

  /** Starts what it claimed, reports progress until `isOver`, and ends it well. */
  async work(isOver: () => boolean): Promise<void> {
    await this.#notify("task_started", {
      task_type: "general",
      estimated_duration: 60,
      complexity: "low",
    });
    for (let step = 1; step <= MOST_STEPS && !(step > 3 && isOver()); step += 1) {
      await this.#notify("task_progress", {
        progress_percentage: 50,
        current_step: `step ${step}`,
      });
      await pause(between(this.#draw, SHORTEST_STEP_MS, LONGEST_STEP_MS));
    }
    await this.#notify("task_completed", {
      result: { answer: 42 },
      execution_summary: "Came through the storm",
      metrics: { execution_time: 1, tokens_used: 0, cost: 0, quality_score: 0.9 },
      quality_assessment: { overall_score: 0.9 },
    });
    await this.#end();
  }

  async #notify(notification_type: string, data: unknown): Promise<void> {
    this.#sequence += 1;
    const notification = {
      notification_id: `${this.#task_id}-${this.#sequence}`,
      notification_type,
      task_id: this.#task_id,
      agent_id: this.#agent_id,
      timestamp: new Date().toISOString(),
      sequence: this.#sequence,
      data,
    };
    const answer = await this.#api.call("POST", "/v1/notifications", notification, this.#lease);
    const { seq } = receiptSchema.parse(answer);
    this.accepted.push({ task_id: this.#task_id, type: notification_type, seq });
  }

  async #end(): Promise<void> {
    const end = {
      task_id: this.#task_id,
      agent_id: this.#agent_id,
      reason: "success",
      timestamp: new Date().toISOString(),
      quality_assessment: { overall_score: 0.9 },
    };
    await this.#api.call("POST", `/v1/tasks/${this.#task_id}/end`, end, this.#lease);
  }
}
