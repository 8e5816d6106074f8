import { env } from "cloudflare:workers";
import { z } from "zod";

import { alarmed } from "../alarmed.ts";
import { call, eventually, Executor } from "../batuta.ts";
import type { Answered } from "../batuta.ts";
import { owe } from "../debtor.ts";
import { decided } from "../decided.ts";
import { newModelHost } from "../model-host.ts";
import { newReceiver } from "../receiver.ts";
import { newTenant } from "../tenant.ts";

/* What the drawn requests speak of: a tenant with one of everything, and tasks in every phase. */

/** How far the task of a scene has come; the last two are of another tenant, and of nobody. */
export const STAGES = [
  "queued",
  "assigned",
  "executing",
  "escalated",
  "completed",
  "ended",
  "approval",
  "foreign",
  "nowhere",
] as const;
type Stage = (typeof STAGES)[number];

/** Calls that change a scene until it is made anew. */
const USES = { task: 6, hook: 12 };

/** Nothing lapses while the test goes on. */
const PATIENT = { timeout: 86_400, heartbeat_timeout: 86_400, stall_timeout: 86_400 };

/** Who sends a request, by the name of the key. */
export const SENDERS = [
  "admin",
  "orchestrate",
  "execute",
  "observe",
  "foreign",
  "revoked",
  "bootstrap",
] as const;
export type Sender = (typeof SENDERS)[number];

type Call = Awaited<ReturnType<typeof newTenant>>;
type Part = "task" | "hook";

/** Ids that are named by what they are of: `task_id` is no-such-task. */
const OF_THINGS =
  "task agent webhook delivery escalation debt decision batch request key memory model alert rule silence channel";

const NOWHERE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(OF_THINGS.split(" ").map((thing) => [`${thing}_id`, `no-such-${thing}`])),
  parent_task_id: "no-such-task",
  subtask_id: "no-such-task",
  token: "no-such-token",
  pool: "no-such-pool",
  slo_id: "no-such-objective",
  recovery_id: "none",
};

function textIn(answer: Answered<Record<string, unknown>>, name: string): string {
  const value = answer.body?.[name];
  // A problem has a request_id too.
  if (answer.status >= 300 || typeof value !== "string") {
    throw new Error(`The world lacks ${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return value;
}

const claimSchema = z.object({
  tasks: z.array(
    z.object({
      task: z.object({ task_id: z.string() }),
      lease: z.object({ token: z.string() }),
    }),
  ),
});

const question = {
  escalation_reason: "two ways",
  escalation_level: "human",
  question: "Which of the two?",
  urgency: "low",
};

/** A task at its stage, a webhook with a delivery, and one of everything else. */
export class Scene {
  readonly stage: Stage;
  readonly values: Record<string, string> = { ...NOWHERE };
  readonly #world: World;
  readonly #call: Call;
  readonly #uses = { task: 0, hook: 0 };
  #turn = 0;

  constructor(stage: Stage, world: World, own: Call) {
    this.stage = stage;
    this.#world = world;
    this.#call = own;
  }

  /** Notes that a call has changed something of the scene. */
  use(part: Part, isGone: boolean): void {
    this.#uses[part] += isGone ? USES[part] : 1;
  }

  /** Takes over the lease of its task, if that was claimed again. */
  noteClaim(answer: unknown): void {
    const { tasks } = claimSchema.parse(answer);
    const own = tasks.find(({ task }) => task.task_id === this.values["task_id"]);
    if (own !== undefined) this.values["token"] = own.lease.token;
  }

  /** The log of its task, as places in it; empty where there is none. */
  async seqs(): Promise<number[]> {
    if (this.stage === "nowhere") return [];
    const path = `/v1/tasks/${this.values["task_id"]}/events?limit=200`;
    const { body } = await this.#call<{ items: { seq: number }[] }>("GET", path);
    return body.items.map(({ seq }) => seq);
  }

  /** Makes anew what was used up. */
  async renew(): Promise<void> {
    if (this.stage === "nowhere") return;
    if (this.#uses.task >= USES.task || this.#turn === 0) await this.#makeTask();
    if (this.#uses.hook >= USES.hook || this.values["webhook_id"] === NOWHERE["webhook_id"]) {
      await this.#makeHook();
    }
    if (this.values["batch_id"] === NOWHERE["batch_id"]) await this.#makeRest();
  }

  async #makeHook(): Promise<void> {
    this.#uses.hook = 0;
    const { url } = newReceiver();
    const webhook = await this.#call("POST", "/v1/webhooks", {
      url,
      events: ["system_alert"],
    });
    const webhook_id = textIn(webhook, "webhook_id");
    const delivery = await this.#call("POST", `/v1/webhooks/${webhook_id}/test`, {});
    const since = "2026-01-01T00:00:00Z";
    const recovery = await this.#call("POST", `/v1/webhooks/${webhook_id}/recover`, { since });
    Object.assign(this.values, {
      webhook_id,
      delivery_id: textIn(delivery, "delivery_id"),
      recovery_id: textIn(recovery, "recovery_id"),
    });
    this.#world.keep(textIn(webhook, "secret"));
  }

  async #makeTask(): Promise<void> {
    this.#uses.task = 0;
    this.#turn += 1;
    const name = `fuzz-${this.stage}-${this.#turn}`;
    const agent = await this.#call("PUT", `/v1/agents/${name}`, {
      capabilities: [name],
      slots: 10,
      pools: [name],
    });
    this.#world.keep(textIn(agent, "secret"));
    const submitted = await this.#call("POST", "/v1/tasks", {
      task_id: name,
      task_type: "research",
      description: "a task of the fuzz test",
      pool: name,
      ...PATIENT,
      requires: { capabilities: [name] },
      execution_options: {
        ...(this.stage === "approval" && { autonomy_level: "manual" }),
        retry_policy: { max_retries: 2, retry_delay: 1, backoff_multiplier: 1 },
      },
    });
    const task_id = textIn(submitted, "task_id");
    Object.assign(this.values, { task_id, parent_task_id: task_id, subtask_id: task_id });
    // The first of its task (protocol.md §4); there is none where the stage has none.
    Object.assign(this.values, { agent_id: name, pool: name, escalation_id: `esc_1_${name}` });
    if (this.stage !== "queued" && this.stage !== "approval") await this.#claim(name);
  }

  async #claim(name: string): Promise<void> {
    const wait_seconds = 5;
    const answer = await this.#call("POST", `/v1/agents/${name}/claim`, { wait_seconds });
    const token = claimSchema.parse(answer.body).tasks[0]?.lease.token;
    if (token === undefined) throw new Error(`no task came for ${name}`);
    this.#world.keep(token);
    this.values["token"] = token;
    if (this.stage === "assigned" || this.stage === "foreign") return;
    const executor = new Executor(name, this.#call);
    executor.hold(name, token);
    await executor.start();
    await this.#call("PUT", `/v1/tasks/${name}/notes/note`, { value: 1 }, executor.lease);
    if (this.stage === "escalated") await executor.notify("task_escalated", question);
    if (this.stage !== "completed" && this.stage !== "ended") return;
    const next_steps = ["Compare it with last year", "Publish it on the page"];
    await executor.complete({ answer: 42 }, { next_steps, lessons_learned: ["Be brief"] });
    if (this.stage !== "ended") return;
    await executor.end();
    await eventually(
      () => this.#call("GET", `/v1/tasks/${name}`),
      ({ body }) => body["phase"] === "ended",
    );
  }

  /** What is not used up: it may be cancelled or settled, and answers all the same. */
  async #makeRest(): Promise<void> {
    const task = {
      task_type: "research",
      description: "waits for nobody",
      requires: { capabilities: ["nobody-has-this"] },
    };
    const batch = await this.#call("POST", "/v1/batches", { tasks: [task, task] });
    const request = await this.#call("POST", "/v1/requests", {
      goal: "Find out what the fuzz test finds",
    });
    const key = await this.#call("POST", "/v1/keys", { name: "spare", scopes: ["observe"] });
    this.#world.keep(textIn(key, "key"));
    const memory = await this.#call("POST", "/v1/memories", {
      kind: "lesson",
      text: `What the fuzz test remembers of ${this.stage}`,
    });
    Object.assign(this.values, {
      batch_id: textIn(batch, "batch_id"),
      request_id: textIn(request, "request_id"),
      key_id: textIn(key, "key_id"),
      memory_id: textIn(memory, "memory_id"),
    });
    await this.#call("PUT", "/v1/models/fuzzed", {
      provider: "openai_compatible",
      base_url: newModelHost().base_url,
      locality: "api",
      context_tokens: 8_000,
    });
    this.values["model_id"] = "fuzzed";
    const channel = { name: "fuzzed", kind: "webhook", url: newReceiver().url };
    await this.#call("PUT", "/v1/alert-channels/fuzzed", channel);
    this.values["channel_id"] = "fuzzed";
    const owing = `owing-${this.stage}`;
    await owe(this.#call, this.stage === "foreign" ? "fuzz-others" : "fuzz", owing, [{}]);
    this.values["debt_id"] = `debt_1_${owing}`;
    const tenant = this.stage === "foreign" ? "fuzz-others" : "fuzz";
    Object.assign(this.values, await alarmed(tenant));
    this.values["decision_id"] = await decided(tenant, `decided-${this.stage}`);
  }
}

/** The tenant `fuzz`, its keys and scenes, and every secret that it has been told. */
export class World {
  readonly scenes: Scene[] = [];
  readonly keys = new Map<Sender, string>([["bootstrap", env.BATUTA_ADMIN_KEY]]);
  /** All that must be seen by nobody but whom it was made for. */
  readonly secrets = new Set<string>([env.BATUTA_ADMIN_KEY, env.BATUTA_SEAL_KEY]);

  keep(secret: string): void {
    this.secrets.add(secret);
  }

  static async create(): Promise<World> {
    const world = new World();
    const own = await newTenant("fuzz");
    const others = await newTenant("fuzz-others");
    for (const sender of SENDERS) {
      if (sender === "bootstrap") continue;
      const scopes = sender === "foreign" || sender === "revoked" ? ["admin"] : [sender];
      const made = await (sender === "foreign" ? others : own)("POST", "/v1/keys", {
        name: sender,
        scopes,
      });
      world.keys.set(sender, textIn(made, "key"));
      world.keep(textIn(made, "key"));
      if (sender === "revoked") await own("DELETE", `/v1/keys/${textIn(made, "key_id")}`);
    }
    for (const stage of STAGES) {
      const scene = new Scene(stage, world, stage === "foreign" ? others : own);
      world.scenes.push(scene);
      await scene.renew();
    }
    return world;
  }

  /** The scene of an index, ready to be spoken of. */
  async scene(index: number): Promise<Scene> {
    const scene = this.scenes[index];
    if (scene === undefined) throw new Error(`There is no scene ${index}.`);
    await scene.renew();
    return scene;
  }
}

/** Calls with the bootstrap key, to see that the Worker is well. */
export const isWell = async (): Promise<boolean> =>
  (await call("GET", "/health")).status === 200 && (await call("GET", "/v1/tasks")).status === 200;
