import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { newDraw } from "../draw.ts";
import { Client } from "./client.ts";
import { ADMIN_KEY, Host } from "./host.ts";
import type { Workshop } from "./host.ts";
import { giveOrders } from "./orders.ts";
import type { FaultPlan } from "./plan.ts";
import { Receiver } from "./receiver.ts";
import type { Receipt } from "./receiver.ts";
import { isTenantSettled, lookAt, seemsOver } from "./seen.ts";
import type { Tenant, TenantSeen } from "./seen.ts";
import { Worker } from "./worker.ts";
import type { Accepted, Crew } from "./worker.ts";

const TENANTS = ["north", "south"] as const;

/** Endpoints of each tenant, by name. */
const ENDPOINTS = {
  ordered: { breaker: { enabled: false } },
  batched: {
    breaker: { probe_s: 1 },
    batching: { max_items: 10, max_wait_ms: 200 },
  },
} as const;
export const ENDPOINT_NAMES = Object.keys(ENDPOINTS);

/** More retries than a receiver can be ill for. */
const SCHEDULE = [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 5, 5, 5, 5];

/** Claiming executors of each tenant. */
const WORKERS = 3;

/** Between two looks whether all is settled. Milliseconds. */
const LOOK_MS = 500;

/** What has not settled by then never does: every watchdog is long over. Milliseconds after the last fault. */
const SETTLED_WITHIN_MS = 240_000;

const keySchema = z.object({ key: z.string() });
const webhookSchema = z.object({ webhook_id: z.string(), secret: z.string() });
/** What was seen of a run. */
export interface Aftermath {
  plan: FaultPlan;
  tenants: TenantSeen[];
  accepted: Accepted[];
  receipts: Receipt[];
  receiverFaults: unknown[];
  unexpected: string[];
  /** From the end of the last fault until all had settled; null when it never did. Milliseconds. */
  recovery_ms: number | null;
  output: string;
}

/** A server and all around it, for one plan. */
export class PlannedWorld {
  readonly #plan: FaultPlan;
  readonly #host: Host;
  readonly #receiver: Receiver;
  readonly #tenants = new Map<string, Tenant>();
  readonly #crew: Crew;
  #isOver = false;
  #incarnation = 0;
  /** Epoch milliseconds. */
  #faultsFrom = Infinity;
  #lastFault = 0;

  static async create(workshop: Workshop, plan: FaultPlan): Promise<PlannedWorld> {
    return new PlannedWorld(await Host.create(workshop), plan);
  }

  private constructor(host: Host, plan: FaultPlan) {
    this.#plan = plan;
    this.#host = host;
    this.#receiver = new Receiver(newDraw(plan.seed + 1), plan.receiver);
    this.#crew = {
      draw: newDraw(plan.seed + 2),
      accepted: [],
      unexpected: [],
      once: new Set(),
      death: () => (this.#areFaultsOn() ? plan.executor_death : 0),
      isOver: () => this.#isOver,
    };
  }

  /** Everything from the first start until all has settled, or nothing more can be hoped for. */
  async run(): Promise<Aftermath> {
    const { seed, faults_ms } = this.#plan;
    await this.#receiver.start();
    const began = Date.now();
    await this.#host.start("");
    // What a slow machine needs to start is not taken from the faults.
    const startMs = Date.now() - began;
    for (const tenant of TENANTS) await this.#enrol(tenant);
    if (this.#isInjecting) {
      await this.#host.kill();
      this.#faultsFrom = Date.now() + startMs;
      await this.#start();
    } else {
      this.#faultsFrom = Date.now();
    }
    this.#receiver.isIll = true;
    const crew = this.#startCrew();
    const orders = [...this.#tenants.values()].map((tenant, index) =>
      giveOrders({
        ...tenant,
        draw: newDraw(seed + 10 + index),
        spread_ms: faults_ms - 1_500,
        isOver: () => this.#isOver,
      }),
    );
    const storm = this.#storm();
    await Promise.race([Promise.all([storm, ...orders]), neverUnlessFailed(crew)]);
    return this.#settle(crew);
  }

  /** All warnings and errors of the server. */
  get output(): string {
    return this.#host.output;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#receiver.stop();
    await this.#host.stop();
  }

  #areFaultsOn(): boolean {
    return this.#receiver.isIll;
  }

  /** Whether the server itself has to be told of faults. */
  get #isInjecting(): boolean {
    const { injected, outages } = this.#plan;
    return outages.length > 0 || Object.values(flat(injected)).some((share) => share !== 0);
  }

  /** Starts the server with the faults of the plan, which end when they would have ended without a kill. */
  async #start(): Promise<void> {
    this.#incarnation += 1;
    const { seed, injected, faults_ms, outages } = this.#plan;
    const instantOf = (ms: number): string => new Date(this.#faultsFrom + ms).toISOString();
    const faults = {
      ...injected,
      seed: seed * 16 + this.#incarnation,
      until: instantOf(faults_ms),
      database: {
        ...injected.database,
        outages: outages.map(([from, until]) => ({
          from: instantOf(from),
          until: instantOf(until),
        })),
      },
    };
    await this.#host.start(this.#isInjecting ? JSON.stringify(faults) : "");
  }

  /** Kills as planned, and ends the faults. */
  async #storm(): Promise<void> {
    const { kills, faults_ms } = this.#plan;
    const began = this.#faultsFrom;
    for (const kill of kills) {
      await pause(Math.max(0, began + kill - Date.now()));
      await this.#host.kill();
      await this.#start();
    }
    await pause(Math.max(0, began + faults_ms - Date.now()));
    this.#receiver.isIll = false;
    this.#lastFault = Date.now();
  }

  async #enrol(tenant: string): Promise<void> {
    const admin = new Client(this.#host.url, "default", ADMIN_KEY);
    const scopes = ["orchestrate", "execute", "observe", "admin"];
    const made = await admin.must("POST", "/v1/keys", { name: "chaos", scopes, tenant });
    const client = new Client(this.#host.url, tenant, keySchema.parse(made).key);
    const webhooks = new Map<string, string>();
    for (const [name, options] of Object.entries(ENDPOINTS)) {
      const registration = {
        url: `${this.#receiver.url}/hook/${tenant}/${name}`,
        // Of tasks alone: the breaker of one endpoint is news to the other.
        events: ["task_lifecycle"],
        timeout: 3,
        retry_policy: { schedule: SCHEDULE },
        ...options,
      };
      const answer = webhookSchema.parse(await client.must("POST", "/v1/webhooks", registration));
      this.#receiver.trust(`hook/${tenant}/${name}`, answer.secret);
      webhooks.set(name, answer.webhook_id);
    }
    this.#tenants.set(tenant, { client, task_ids: new Set(), webhooks });
    for (const agent_id of this.#agentIds) {
      const isPush = agent_id === "pusher";
      const registration = {
        capabilities: [isPush ? "push" : "chaos"],
        slots: 3,
        ...(isPush && { url: `${this.#receiver.url}/push/${tenant}` }),
      };
      await client.must("PUT", `/v1/agents/${agent_id}`, registration);
    }
  }

  get #agentIds(): string[] {
    return [...Array.from({ length: WORKERS }, (_, index) => `worker-${index}`), "pusher"];
  }

  #startCrew(): Promise<unknown>[] {
    const pushed = new Map<string, Worker>();
    const running: Promise<unknown>[] = [];
    for (const [tenant, { client }] of this.#tenants) {
      pushed.set(tenant, new Worker(client, "pusher", this.#crew));
      for (const agent_id of this.#agentIds.filter((name) => name !== "pusher")) {
        running.push(new Worker(client, agent_id, this.#crew).run());
      }
    }
    this.#receiver.perform = (tenant, claimed) => {
      pushed
        .get(tenant)
        ?.perform(claimed)
        .catch((error: unknown) => this.#receiver.faults.push(error));
    };
    return running;
  }

  async #settle(crew: readonly Promise<unknown>[]): Promise<Aftermath> {
    const giveUpAt = this.#lastFault + SETTLED_WITHIN_MS;
    const tenants = [...this.#tenants.values()];
    for (;;) {
      const isOver = (await Promise.all(tenants.map(seemsOver))).every(Boolean);
      const isLate = Date.now() > giveUpAt;
      const seen = isOver || isLate ? await this.#look() : [];
      const isSettled = isOver && seen.every((one) => isTenantSettled(one, ENDPOINT_NAMES));
      const settledAt = Date.now();
      if (isSettled || isLate) {
        this.#isOver = true;
        await Promise.all(crew);
        return {
          plan: this.#plan,
          tenants: seen,
          accepted: this.#crew.accepted,
          receipts: this.#receiver.receipts,
          receiverFaults: this.#receiver.faults,
          unexpected: this.#crew.unexpected,
          recovery_ms: isSettled ? settledAt - this.#lastFault : null,
          output: this.#host.output,
        };
      }
      await pause(LOOK_MS);
    }
  }

  #look(): Promise<TenantSeen[]> {
    const tenants = [...this.#tenants.values()];
    return Promise.all(
      tenants.map((tenant) =>
        lookAt(
          tenant,
          tenants.filter((other) => other !== tenant),
        ),
      ),
    );
  }
}

/** Shares of all groups that are anything, by name. */
function flat(groups: FaultPlan["injected"]): Record<string, number> {
  return Object.fromEntries(
    Object.entries(groups).flatMap(([group, of]) =>
      Object.entries(of)
        .filter(([name]) => name !== "slow_ms")
        .map(([name, share]) => [`${group}.${name}`, share] as const),
    ),
  );
}

/** Rejects when one of these does, and never resolves. */
function neverUnlessFailed(works: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const work of works) work.catch(reject);
  });
}
