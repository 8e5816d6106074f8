import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { eventTypeSchema, notificationTypeSchema } from "../../src/protocol/enums.ts";
import { Api } from "./api.ts";
import { between, newDraw } from "./draw.ts";
import { Executor } from "./executor.ts";
import type { Accepted } from "./executor.ts";
import { Receiver } from "./receiver.ts";
import type { Receipt } from "./receiver.ts";
import { Server } from "./server.ts";

/** Executors, each with a task that runs as long as the storm. */
const EXECUTORS = 8;

/** Requests that come between two kills. */
const FEWEST_RECEIPTS = 20;
const MOST_RECEIPTS = 60;
const RECEIPTS_WITHIN_MS = 60_000;

/** Retries, the probes of a breaker, alarms that stand in for lost queue messages: all are long over by then. */
const SETTLED_WITHIN_MS = 240_000;

/** The one that may be taken out of service by its breaker is so at every restart: five failures in a row open it. */
const OUTAGE_REQUESTS = 6;

const ENDPOINTS = {
  plain: { enabled: false },
  probed: { probe_s: 1 },
} as const;

/** Long enough that no crash costs a lease. */
const PATIENT = { timeout: 3_600, heartbeat_timeout: 3_600, stall_timeout: 3_600 };

const webhookSchema = z.object({ webhook_id: z.string(), secret: z.string() });
const eventSchema = z.object({ seq: z.int(), type: eventTypeSchema });
const eventsSchema = z.object({ items: z.array(eventSchema), next_cursor: z.string().nullable() });
const viewSchema = z.object({ task_id: z.string(), seq: z.int(), phase: z.string() });
const listSchema = z.object({ items: z.array(viewSchema), next_cursor: z.string().nullable() });
const deliveriesSchema = z.object({
  items: z.array(z.object({ task_id: z.string(), seq: z.int(), state: z.string() })),
  next_cursor: z.string().nullable(),
});

/** One task as the API tells of it when all is over. */
export interface Told {
  view: z.infer<typeof viewSchema>;
  log: z.infer<typeof eventSchema>[];
  /** Its row in the list of tasks. */
  listed: z.infer<typeof viewSchema> | null;
}

/** What was seen of a storm. */
export interface Aftermath {
  /** Requests that were waiting for their answer when the server was killed, once per kill. */
  openAtKill: number[];
  tasks: Told[];
  accepted: Accepted[];
  receipts: Receipt[];
  receiverFaults: unknown[];
  /** `endpoint task_id seq` of every delivery that the server knows, and its state. */
  deliveries: Map<string, string>;
}

/** A server that is killed again and again while tasks are submitted, run and told of. */
export class Storm {
  readonly endpoints = Object.keys(ENDPOINTS);
  readonly #draw: () => number;
  readonly #receiver: Receiver;
  readonly #webhooks = new Map<string, string>();
  readonly #task_ids: string[] = [];
  readonly #openAtKill: number[] = [];
  #server: Server | null = null;
  #isOver = false;

  constructor(seed: number) {
    this.#draw = newDraw(seed);
    this.#receiver = new Receiver(newDraw(seed + 1));
  }

  /** Everything from the first start to the moment when all has arrived, or nothing more can be hoped for. */
  async run(kills: number): Promise<Aftermath> {
    const server = await Server.create();
    this.#server = server;
    await Promise.all([this.#receiver.start(), server.start()]);
    const api = new Api(server.url, server.adminKey);
    await this.#register(api);
    const executors = await this.#claimAll(api);
    const works = executors.map((executor) => executor.work(() => this.#isOver));
    const submissions = await Promise.race([
      this.#killAll(server, api, kills),
      // Whatever breaks an executor ends the storm.
      Promise.all(works).then(() => Promise.reject(new Error("The work ended before the storm."))),
    ]);
    this.#isOver = true;
    await Promise.all([...works, ...submissions]);
    await this.#workOff(executors);
    return this.#look(api, executors);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#receiver.stop();
    await this.#server?.stop();
  }

  /** Whether a process of the server is left. */
  isAnythingLeft(): boolean {
    return this.#server?.isAlive() ?? false;
  }

  async #register(api: Api): Promise<void> {
    for (const [endpoint, breaker] of Object.entries(ENDPOINTS)) {
      const registration = {
        url: this.#receiver.urlOf(endpoint),
        // Of tasks alone: the breaker of one endpoint is news to the other.
        events: ["task_lifecycle"],
        timeout: 1,
        retry_policy: { schedule: [1, 1, 1, 2, 2, 4, 8] },
        breaker,
      };
      const answer = await api.call("POST", "/v1/webhooks", registration);
      const { webhook_id, secret } = webhookSchema.parse(answer);
      this.#receiver.trust(endpoint, secret);
      this.#webhooks.set(endpoint, webhook_id);
    }
  }

  async #claimAll(api: Api): Promise<Executor[]> {
    const executors: Executor[] = [];
    for (let index = 0; index < EXECUTORS; index += 1) {
      const executor = new Executor(api, `chaos-${index}`, this.#draw);
      await executor.register("chaos");
      await this.#submit(api);
      if (!(await executor.claim())) throw new Error("A task that was submitted is not there.");
      executors.push(executor);
    }
    return executors;
  }

  /** Accepted once, however often it has to be said: the id is the client's own. */
  async #submit(api: Api): Promise<void> {
    const task_id = `chaos-${this.#task_ids.length}`;
    this.#task_ids.push(task_id);
    await api.call("POST", "/v1/tasks", {
      task_id,
      task_type: "general",
      description: "A task in a storm",
      requires: { capabilities: ["chaos"] },
      ...PATIENT,
    });
  }

  /** Kills and starts the server again and again; a task is submitted at the moment of each kill. */
  async #killAll(server: Server, api: Api, kills: number): Promise<Promise<void>[]> {
    const submissions: Promise<void>[] = [];
    for (let kill = 0; kill < kills; kill += 1) {
      const more = between(this.#draw, FEWEST_RECEIPTS, MOST_RECEIPTS);
      await this.#untilBusy(this.#receiver.receipts.length + more);
      const submission = this.#submit(api);
      submission.catch(() => undefined);
      submissions.push(submission);
      await pause(between(this.#draw, 0, 20));
      await this.#untilBusy(0);
      this.#openAtKill.push(this.#receiver.open);
      await server.kill();
      this.#receiver.breakDown("probed", OUTAGE_REQUESTS);
      await server.start();
    }
    return submissions;
  }

  /** Waits until so many requests have come, and something is on its way at this very moment. */
  async #untilBusy(requests: number): Promise<void> {
    const giveUpAt = Date.now() + RECEIPTS_WITHIN_MS;
    while (this.#receiver.receipts.length < requests || this.#receiver.open === 0) {
      if (Date.now() > giveUpAt) throw new Error("Too little arrives for a storm.");
      await pause(1);
    }
  }

  /** The tasks that were submitted in the storm find their executors afterwards. */
  async #workOff(executors: readonly Executor[]): Promise<void> {
    await Promise.all(
      executors.map(async (executor) => {
        while (await executor.claim()) await executor.work(() => true);
      }),
    );
  }

  async #look(api: Api, executors: readonly Executor[]): Promise<Aftermath> {
    const giveUpAt = Date.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const tasks = await this.#readTasks(api);
      const deliveries = await this.#readDeliveries(api);
      if (this.#isSettled(tasks, deliveries) || Date.now() > giveUpAt) {
        return {
          openAtKill: this.#openAtKill,
          tasks,
          accepted: executors.flatMap(({ accepted }) => accepted),
          receipts: this.#receiver.receipts,
          receiverFaults: this.#receiver.faults,
          deliveries,
        };
      }
      await pause(500);
    }
  }

  #isSettled(tasks: readonly Told[], deliveries: Aftermath["deliveries"]): boolean {
    const expected = this.endpoints.flatMap((endpoint) => placesOf(endpoint, tasks));
    return (
      tasks.every(({ view, listed }) => view.phase === "ended" && listed?.seq === view.seq) &&
      expected.every((place) => deliveries.get(place) === "delivered")
    );
  }

  async #readTasks(api: Api): Promise<Told[]> {
    const listed = await pages(api, "/v1/tasks?limit=100", listSchema);
    return Promise.all(
      this.#task_ids.map(async (task_id) => ({
        view: viewSchema.parse(await api.call("GET", `/v1/tasks/${task_id}`)),
        log: await pages(api, `/v1/tasks/${task_id}/events?limit=100`, eventsSchema, "after"),
        listed: listed.find((item) => item.task_id === task_id) ?? null,
      })),
    );
  }

  async #readDeliveries(api: Api): Promise<Aftermath["deliveries"]> {
    const states = new Map<string, string>();
    for (const [endpoint, webhook_id] of this.#webhooks) {
      const path = `/v1/webhooks/${webhook_id}/deliveries?limit=100`;
      for (const { task_id, seq, state } of await pages(api, path, deliveriesSchema)) {
        states.set(`${endpoint} ${task_id} ${seq}`, state);
      }
    }
    return states;
  }
}

/** `endpoint task_id seq` of every notification that the logs hold. */
export function placesOf(endpoint: string, tasks: readonly Told[]): string[] {
  return tasks.flatMap(({ view, log }) =>
    log
      .filter(({ type }) => notificationTypeSchema.safeParse(type).success)
      .map(({ seq }) => `${endpoint} ${view.task_id} ${seq}`),
  );
}

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/** All items of a list; no list here has more than a hundred pages. */
async function pages<Item>(
  api: Api,
  path: string,
  schema: z.ZodType<Page<Item>>,
  parameter = "cursor",
): Promise<Item[]> {
  const items: Item[] = [];
  let next = "";
  for (let page = 0; page < 100; page += 1) {
    const answer = schema.parse(await api.call("GET", path + next));
    items.push(...answer.items);
    if (answer.next_cursor === null) return items;
    next = `&${parameter}=${encodeURIComponent(answer.next_cursor)}`;
  }
  throw new Error(`${path} does not come to an end.`);
}
