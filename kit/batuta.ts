import { z } from "zod";

/** No call of the kit's own takes longer, milliseconds. */
const CALL_MS = 40_000;

const viewSchema = z.looseObject({
  task_id: z.string(),
  status: z.string(),
  phase: z.string(),
  attempt: z.int(),
  result: z.unknown(),
});
const eventSchema = z.looseObject({ seq: z.int(), type: z.string(), data: z.unknown() });

/** A task as Batuta tells of it. */
export type TaskView = z.infer<typeof viewSchema>;
export type TaskEvent = z.infer<typeof eventSchema>;

/** Batuta said no, or said nothing. */
export class Refused extends Error {
  readonly status: number;

  constructor(call: string, status: number, text: string) {
    super(`${call} was answered ${status}: ${text.slice(0, 1_000)}`);
    this.status = status;
  }
}

/** The kit's own calls, past the proxy. */
export class Batuta {
  readonly url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.url = url.replace(/\/$/, "");
    this.#key = key;
  }

  /** @throws Refused when the answer is not 2xx */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<unknown> {
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Refused(`${method} ${path}`, answer.status, text);
    return text === "" ? null : JSON.parse(text);
  }

  async view(task_id: string): Promise<TaskView> {
    return viewSchema.parse(await this.call("GET", `/v1/tasks/${task_id}`));
  }

  /** The whole log of a short task. */
  async log(task_id: string): Promise<TaskEvent[]> {
    const page = await this.call("GET", `/v1/tasks/${task_id}/events?limit=200`);
    return z.looseObject({ items: z.array(eventSchema) }).parse(page).items;
  }

  async command(task_id: string, command: string): Promise<string> {
    const reason = "The conformance kit tries what happens";
    const given = await this.call("POST", `/v1/tasks/${task_id}/commands`, { command, reason });
    return z.looseObject({ command_id: z.string() }).parse(given).command_id;
  }

  /** An executor as it is registered; null when there is none. */
  async agent(agent_id: string): Promise<unknown> {
    try {
      return await this.call("GET", `/v1/agents/${agent_id}`);
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return null;
      throw error;
    }
  }
}
