import { z } from "zod";

import { Api } from "../chaos/api.ts";

const claimSchema = z.object({
  tasks: z.array(
    z.object({ task: z.object({ task_id: z.string() }), lease: z.object({ token: z.string() }) }),
  ),
});

/** As long as a test may well wait for a task to reach its executor on a busy machine. */
const PATIENCE_MS = 45_000;

/** What a test does behind the console's back: submits, claims and speaks as an executor would. */
export class Desk {
  readonly api: Api;
  readonly #leases = new Map<string, { token: string; agent: string; sequence: number }>();

  constructor(url: string, key: string) {
    this.api = new Api(url, key);
  }

  /** Registers an executor that alone can do what needs its capability, which is its name. */
  async register(agent: string, more: Record<string, unknown> = {}): Promise<void> {
    const registration = { capabilities: [agent], slots: 4, ...more };
    await this.api.call("PUT", `/v1/agents/${agent}`, registration);
  }

  /** Submits a task that only this agent can do, and lets the agent take it. */
  async hold(agent: string, task_id: string, more: Record<string, unknown> = {}): Promise<void> {
    await this.api.call("POST", "/v1/tasks", {
      task_id,
      task_type: "general",
      description: `What ${agent} has to do for ${task_id}`,
      requires: { capabilities: [agent] },
      ...more,
    });
    const token = await this.#claim(agent, task_id);
    this.#leases.set(task_id, { token, agent, sequence: 0 });
  }

  /** Claims as executors do: again, because an answer that is lost gives a task to nobody for a while. */
  async #claim(agent: string, task_id: string): Promise<string> {
    const giveUpAt = Date.now() + PATIENCE_MS;
    const path = `/v1/agents/${agent}/claim`;
    const body = { max_tasks: 1, wait_seconds: 10 };
    while (Date.now() < giveUpAt) {
      // oxlint-disable-next-line no-await-in-loop
      const [claimed] = claimSchema.parse(await this.api.call("POST", path, body)).tasks;
      if (claimed?.task.task_id === task_id) return claimed.lease.token;
    }
    throw new Error(`${agent} got no ${task_id}`);
  }

  /** Says how a task goes that is held. */
  async say(task_id: string, type: string, data: unknown): Promise<void> {
    const lease = this.#leases.get(task_id);
    if (lease === undefined) throw new Error(`nobody holds ${task_id}`);
    lease.sequence += 1;
    await this.api.call(
      "POST",
      "/v1/notifications",
      {
        notification_id: `${task_id}-${lease.sequence}`,
        notification_type: type,
        task_id,
        agent_id: lease.agent,
        timestamp: new Date().toISOString(),
        sequence: lease.sequence,
        data,
      },
      { "Lease-Token": lease.token },
    );
  }

  /** Begins a task that is held. */
  async begin(task_id: string): Promise<void> {
    const data = { task_type: "general", estimated_duration: 60, complexity: "low" };
    await this.say(task_id, "task_started", data);
  }

  /** Ends a task that is held, well. */
  async complete(task_id: string, execution_summary: string, result: unknown): Promise<void> {
    await this.say(task_id, "task_completed", {
      result,
      execution_summary,
      metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
      quality_assessment: { overall_score: 0.9, feedback: execution_summary },
    });
  }

  /** Asks a question about a task that is held. */
  async ask(task_id: string, question: string, more: Record<string, unknown> = {}): Promise<void> {
    await this.say(task_id, "task_escalated", {
      escalation_reason: question,
      escalation_level: "human",
      question,
      urgency: "high",
      ...more,
    });
  }
}
