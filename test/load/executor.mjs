/** An external executor as it would be written by anybody: over HTTP alone. */
import { randomUUID } from "node:crypto";

/** Percentages that an executor reports on its way. */
const PROGRESS = [25, 50, 75];

/** An executor that claims one task and speaks of it. */
export class Executor {
  #client;
  #agent_id;
  #lease = {};
  #sequence = 0;
  task_id = null;

  constructor(client, agent_id) {
    this.#client = client;
    this.#agent_id = agent_id;
  }

  async register(capability, slots) {
    const registration = { capabilities: [capability], slots };
    await this.#client.call("PUT", `/v1/agents/${this.#agent_id}`, registration);
    return this;
  }

  async claim() {
    const path = `/v1/agents/${this.#agent_id}/claim`;
    const { tasks } = await this.#client.call("POST", path, { max_tasks: 1, wait_seconds: 10 });
    if (tasks.length === 0) throw new Error(`${this.#agent_id} waited 10 s and got no task`);
    this.task_id = tasks[0].task.task_id;
    this.#lease = { "lease-token": tasks[0].lease.token };
    this.#sequence = 0;
  }

  /** The seq under which the notification went into the log. */
  async notify(notification_type, data) {
    this.#sequence += 1;
    const notification = {
      notification_id: randomUUID(),
      notification_type,
      task_id: this.task_id,
      agent_id: this.#agent_id,
      timestamp: new Date().toISOString(),
      sequence: this.#sequence,
      data,
    };
    const receipt = await this.#client.call("POST", "/v1/notifications", notification, this.#lease);
    return receipt.seq;
  }

  /** All of the work: started, three times progress, completed, end. The seqs of the notifications. */
  async work() {
    const seqs = [await this.start()];
    for (const percentage of PROGRESS) seqs.push(await this.progress(percentage));
    seqs.push(await this.complete());
    await this.end();
    return seqs;
  }

  start() {
    return this.notify("task_started", {
      task_type: "general",
      estimated_duration: 60,
      complexity: "low",
    });
  }

  progress(percentage, step = `step at ${percentage}`) {
    return this.notify("task_progress", { progress_percentage: percentage, current_step: step });
  }

  complete() {
    return this.notify("task_completed", {
      result: { answer: 42 },
      execution_summary: "Done as the bench asks",
      metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
      quality_assessment: { overall_score: 0.9 },
    });
  }

  end() {
    const end = {
      task_id: this.task_id,
      agent_id: this.#agent_id,
      reason: "success",
      timestamp: new Date().toISOString(),
      quality_assessment: { overall_score: 0.9 },
    };
    return this.#client.call("POST", `/v1/tasks/${this.task_id}/end`, end, this.#lease);
  }
}
