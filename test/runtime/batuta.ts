import { env, exports } from "cloudflare:workers";
import { vi } from "vitest";

import type { Report, TaskEvent, TaskView } from "../../src/protocol/task-view.ts";

/** An answer of the Worker under test, body parsed. */
export interface Answered<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

/** Calls the Worker as a user would, with the bootstrap key unless another is given. */
export async function call<Body = Record<string, unknown>>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answered<Body>> {
  const response = await exports.default.fetch(
    new Request(`https://batuta.test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${env.BATUTA_ADMIN_KEY}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? null : JSON.parse(text),
  };
}

/** Submits a task and gives its view. */
export async function submit(task: Record<string, unknown>): Promise<TaskView> {
  const { body } = await call<TaskView>("POST", "/v1/tasks", {
    task_type: "research",
    description: "a task that a test submits",
    ...task,
  });
  return body;
}

/** An executor that registers under a name and claims one task. */
export class Executor {
  readonly agent_id: string;
  readonly #call: typeof call;
  #sequence = 0;
  #token = "";
  task_id = "";

  /** @param by how it calls the Worker: with the bootstrap key unless a tenant's own is given */
  constructor(agent_id: string, by: typeof call = call) {
    this.agent_id = agent_id;
    this.#call = by;
  }

  /** Registers with a capability of its own name, so that only it can take a test's tasks. */
  async register(capabilities = [this.agent_id]): Promise<this> {
    await this.#call("PUT", `/v1/agents/${this.agent_id}`, {
      capabilities,
      task_types: ["research"],
      slots: 10,
    });
    return this;
  }

  async claim(): Promise<Record<string, unknown>> {
    interface Claimed {
      tasks: { task: Record<string, unknown> & { task_id: string }; lease: { token: string } }[];
    }
    const { body } = await this.#call<Claimed>("POST", `/v1/agents/${this.agent_id}/claim`, {
      wait_seconds: 5,
    });
    const first = body.tasks[0];
    if (first === undefined) throw new Error("no task came");
    this.#token = first.lease.token;
    this.#sequence = 0;
    this.task_id = first.task.task_id;
    return first.task;
  }

  /** Has a task that came in another way than by a claim. */
  hold(task_id: string, token: string): void {
    this.task_id = task_id;
    this.#token = token;
    this.#sequence = 0;
  }

  get lease(): Record<string, string> {
    return { "lease-token": this.#token };
  }

  notify(type: string, data: unknown): Promise<Answered<Record<string, unknown>>> {
    this.#sequence += 1;
    const notification = {
      notification_id: `${this.task_id}-${this.#sequence}-${this.#token}`,
      notification_type: type,
      task_id: this.task_id,
      agent_id: this.agent_id,
      timestamp: new Date().toISOString(),
      sequence: this.#sequence,
      data,
    };
    return this.#call("POST", "/v1/notifications", notification, this.lease);
  }

  start(): Promise<Answered<Record<string, unknown>>> {
    return this.notify("task_started", {
      task_type: "research",
      estimated_duration: 10,
      complexity: "low",
    });
  }

  progress(percentage: number): Promise<Answered<Record<string, unknown>>> {
    return this.notify("task_progress", {
      progress_percentage: percentage,
      current_step: `at ${percentage}`,
    });
  }

  complete(
    result: unknown = { answer: 42 },
    more: Record<string, unknown> = {},
  ): Promise<Answered<Record<string, unknown>>> {
    return this.notify("task_completed", {
      result,
      execution_summary: "done",
      metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
      quality_assessment: { overall_score: 0.9 },
      ...more,
    });
  }

  fail(more: Record<string, unknown> = {}): Promise<Answered<Record<string, unknown>>> {
    return this.notify("task_failed", {
      error_type: "broken",
      error_message: "it broke",
      root_cause: { class: "tool", detail: "the tool broke", evidence: "exit code 1" },
      ...more,
    });
  }

  end(reason = "success"): Promise<Answered<Record<string, unknown>>> {
    const end = {
      task_id: this.task_id,
      agent_id: this.agent_id,
      reason,
      timestamp: new Date().toISOString(),
      quality_assessment: { overall_score: 0.9 },
    };
    return this.#call("POST", `/v1/tasks/${this.task_id}/end`, end, this.lease);
  }
}

/** Waits until a question has the answer that is hoped for; real alarms and queues are at work. */
export function eventually<Value>(
  ask: () => Promise<Value>,
  isRight: (value: Value) => boolean,
): Promise<Value> {
  return vi.waitFor(
    async () => {
      const value = await ask();
      if (!isRight(value)) throw new Error(`not yet: ${JSON.stringify(value)?.slice(0, 500)}`);
      return value;
    },
    // The first task of a file reads the whole built-in executor, which takes its time under coverage.
    { timeout: 35_000, interval: 50 },
  );
}

export async function view(task_id: string): Promise<TaskView> {
  return (await call<TaskView>("GET", `/v1/tasks/${task_id}`)).body;
}

export async function log(task_id: string): Promise<TaskEvent[]> {
  const { body } = await call<{ items: TaskEvent[] }>(
    "GET",
    `/v1/tasks/${task_id}/events?limit=200`,
  );
  return body.items;
}

export async function report(task_id: string): Promise<Report> {
  return (await call<Report>("GET", `/v1/tasks/${task_id}/report`)).body;
}

/** Waits for the task to reach its end. */
export function ended(task_id: string): Promise<TaskView> {
  return eventually(
    () => view(task_id),
    ({ phase }) => phase === "ended",
  );
}
