import { randomBytes } from "node:crypto";

import { z } from "zod";

import { Batuta, Refused } from "./batuta.ts";
import type { Check, Finding, Role, Verdict } from "./check.ts";
import { Child, freePort } from "./child.ts";
import { commandChecks } from "./executor/commands.ts";
import { leaseChecks } from "./executor/leases.ts";
import { clockChecks, lifeChecks } from "./executor/life.ts";
import { messageChecks } from "./executor/messages.ts";
import { pushChecks } from "./executor/pushes.ts";
import { Stage } from "./executor/stage.ts";
import type { Subject } from "./executor/stage.ts";
import { newSecret } from "./letter.ts";
import type { Options } from "./options.ts";
import { orchestratorChecks, OrchestratorStage } from "./orchestrator.ts";
import { Proxy } from "./proxy.ts";
import { deliveryChecks } from "./receiver/deliveries.ts";
import { letterChecks } from "./receiver/letters.ts";
import { askedEffects, countedLines, ReceiverStage } from "./receiver/stage.ts";
import { LABEL, registrationIn } from "./registration.ts";
import { until } from "./wait.ts";

/** The checks of each role, in the order in which they run: what later ones build on comes first. */
export const CHECKS = {
  executor: [
    ...lifeChecks,
    ...messageChecks,
    ...clockChecks,
    ...leaseChecks,
    ...commandChecks,
    ...pushChecks,
  ],
  receiver: [...letterChecks, ...deliveryChecks],
  orchestrator: orchestratorChecks,
} as const;

/** An executor that somebody else starts may take this long to come, milliseconds. */
const AWAITED_MS = 300_000;
const STARTED_MS = 30_000;

/** The kit could not try anything. */
export class Hindered extends Error {}

/** One run of the kit against one Batuta. */
export class Run {
  readonly findings: Finding[] = [];
  readonly #options: Options;
  readonly #batuta: Batuta;
  readonly #key: string;
  readonly #say: (line: string) => void;
  readonly #found: (finding: Finding) => void;
  readonly #name = randomBytes(4).toString("hex");
  readonly #children = new Set<Child>();
  readonly #proxies: Proxy[] = [];

  constructor(
    options: Options,
    { url, key }: { url: string; key: string },
    { say, found }: { say: (line: string) => void; found: (finding: Finding) => void },
  ) {
    this.#options = options;
    this.#key = key;
    this.#batuta = new Batuta(url, key);
    this.#say = say;
    this.#found = found;
  }

  /** Tries everything that was asked for. */
  async all(): Promise<readonly Finding[]> {
    const { executor, receiver, orchestrator } = this.#options;
    try {
      if (executor.start !== null || executor.isAwaited) await this.#executor();
      if (receiver.url !== null || receiver.start !== null) await this.#receiver();
      if (orchestrator.start !== null) await this.#orchestrator(orchestrator.start);
    } finally {
      await Promise.all([...this.#children].map((child) => child.stop()));
      for (const proxy of this.#proxies) proxy.close();
    }
    return this.findings;
  }

  /** For the moment when nothing can be awaited. */
  kill(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  async #open(port: number): Promise<Proxy> {
    const { publicUrl } = this.#options.executor;
    const proxy = new Proxy({ target: this.#batuta.url, run: this.#name, publicUrl });
    this.#proxies.push(proxy);
    return proxy.listen(port);
  }

  #start(command: string, env: Readonly<Record<string, string>>): Child {
    const child = new Child(command, { cwd: process.cwd(), env });
    this.#children.add(child);
    return child;
  }

  async #executor(): Promise<void> {
    const { executor, patienceMs, heartbeat_timeout } = this.#options;
    const proxy = await this.#open(executor.port);
    const agent_id = executor.agent_id ?? (executor.isAwaited ? null : `kit-${this.#name}`);
    const key = executor.isAwaited ? null : await this.#executorKey();
    const env = { BATUTA_URL: proxy.url, BATUTA_KEY: key ?? "", AGENT_ID: agent_id ?? "" };
    const start = async (): Promise<Child | null> =>
      executor.start === null
        ? null
        : this.#start(executor.start, { ...env, PORT: String(await freePort()) });
    let child = await start();
    if (child === null) this.#say(`Start the executor with ${proxy.url} as Batuta's address.`);
    const id = await this.#arrival(proxy, { agent_id, child });
    const before = registrationIn(await this.#adopt(id));
    const stage = new Stage({
      proxy,
      batuta: this.#batuta,
      subject: this.#subject(id, before, proxy),
      pace: { patienceMs, heartbeat_timeout },
      run: this.#name,
      task: executor.task,
    });
    await this.#checks("executor", CHECKS.executor, stage, {
      after: async (finding) => {
        await stage.clear();
        if (finding.outcome === "failed") stage.failed.add(finding.id);
        if (child?.hasEnded !== true) return;
        this.#say(
          `  (it ended with status ${child.status ?? "of a signal"}; the kit starts it again)`,
        );
        child = await start();
      },
    });
    if (child !== null) await child.stop();
    await this.#release(id, proxy);
  }

  /** A key of the executor's own where the kit's key may make one. */
  async #executorKey(): Promise<string> {
    const name = `conformance kit ${this.#name}`;
    try {
      const made = await this.#batuta.call("POST", "/v1/keys", { name, scopes: ["execute"] });
      return z.looseObject({ key: z.string() }).parse(made).key;
    } catch (error) {
      if (error instanceof Refused && error.status === 403) return this.#key;
      throw error;
    }
  }

  /** Waits for the executor to speak; its agent_id. */
  async #arrival(
    proxy: Proxy,
    { agent_id, child }: { agent_id: string | null; child: Child | null },
  ): Promise<string> {
    const first = (): string | undefined =>
      proxy.exchanges.find(
        ({ kind, answer }) =>
          (kind === "claim" || kind === "register") && (answer?.status ?? 0) < 300,
      )?.path;
    const isThere = (): boolean =>
      child?.hasEnded === true ||
      proxy.exchanges.some(({ kind, answer }) =>
        kind === "claim" ? true : kind === "register" && answer !== null,
      );
    const has = await until(isThere, child === null ? AWAITED_MS : STARTED_MS);
    if (!has || child?.hasEnded === true) {
      throw new Hindered(
        `The executor did not come to ${proxy.url}. It said:\n${child?.output ?? "nothing that the kit could see"}`,
      );
    }
    const said = first()?.split("?")[0]?.split("/")[3];
    if (said === undefined) throw new Hindered("The executor's first call does not name an agent.");
    if (agent_id !== null && said !== agent_id) {
      this.#say(`  (its agent_id is ${said}, not ${agent_id})`);
    }
    return decodeURIComponent(said);
  }

  /** Sees to it that its registration has the kit's label, also where it was registered before. */
  async #adopt(agent_id: string): Promise<unknown> {
    const view = await this.#batuta.agent(agent_id);
    if (view === null) throw new Hindered(`Nobody has registered ${agent_id}.`);
    const registration = registrationIn(view);
    const labels = z.record(z.string(), z.unknown()).parse(registration["labels"]);
    if (labels[LABEL] === this.#name) return view;
    const changed = { ...registration, labels: { ...labels, [LABEL]: this.#name } };
    return this.#batuta.call("PUT", `/v1/agents/${agent_id}`, changed);
  }

  /** Gives it the registration back that it has asked for. */
  async #release(agent_id: string, proxy: Proxy): Promise<void> {
    const view = await this.#batuta.agent(agent_id);
    if (view === null) return;
    const { labels, ...rest } = registrationIn(view);
    const { [LABEL]: _mine, ...own } = z.record(z.string(), z.unknown()).parse(labels);
    const url = proxy.pushUrlOf(agent_id);
    const registration = { ...rest, labels: own, ...(url !== null && { url }) };
    await this.#batuta.call("PUT", `/v1/agents/${agent_id}`, registration);
  }

  #subject(agent_id: string, registration: Record<string, unknown>, proxy: Proxy): Subject {
    const { pools, task_types } = z
      .looseObject({ pools: z.array(z.string()), task_types: z.array(z.string()) })
      .parse(registration);
    const url = proxy.pushUrlOf(agent_id);
    const wanted = this.#options.executor.task["task_type"];
    const task_type = task_types.includes("general") ? "general" : (task_types[0] ?? "general");
    return {
      agent_id,
      pool: pools[0] ?? "default",
      task_type: typeof wanted === "string" ? wanted : task_type,
      isPush: url !== null,
      push: url === null ? null : { url, secret: proxy.secrets.get(agent_id) ?? null },
    };
  }

  async #receiver(): Promise<void> {
    const { receiver } = this.#options;
    const proxy = await this.#open(0);
    const secret = receiver.secret ?? newSecret();
    const port = await freePort();
    const url = receiver.url ?? `http://127.0.0.1:${port}/`;
    let child: Child | null = null;
    if (receiver.start !== null) {
      child = this.#start(receiver.start, { PORT: String(port), WEBHOOK_SECRET: secret });
      await this.#listens(url, child);
    }
    const lines = async (task_id: string): Promise<number | null> =>
      child === null ? null : countedLines(child.output, task_id);
    const effects = receiver.effects === null ? lines : askedEffects(receiver.effects);
    if (child === null && receiver.effects === null) {
      this.#say("  (without --effects the kit sees answers, and not how often the receiver acts)");
    }
    const batuta = this.#batuta;
    const stage = new ReceiverStage({ url, secret, run: this.#name, batuta, proxy, effects });
    await this.#checks("receiver", CHECKS.receiver, stage);
    await child?.stop();
  }

  async #listens(url: string, child: Child): Promise<void> {
    const answers = async (): Promise<boolean> => {
      if (child.hasEnded) return true;
      try {
        await fetch(url, { method: "POST", signal: AbortSignal.timeout(2_000) });
        return true;
      } catch {
        // Not yet.
        return false;
      }
    };
    if (!(await until(answers, STARTED_MS)) || child.hasEnded) {
      throw new Hindered(`The receiver does not listen on ${url}. It said:\n${child.output}`);
    }
  }

  async #orchestrator(command: string): Promise<void> {
    const proxy = await this.#open(0);
    const { patienceMs } = this.#options;
    const batuta = this.#batuta;
    const stage = new OrchestratorStage({ proxy, batuta, command, key: this.#key, patienceMs });
    await this.#checks("orchestrator", CHECKS.orchestrator, stage);
  }

  async #checks<S>(
    role: Role,
    checks: readonly Check<S>[],
    stage: S,
    { after }: { after?: (finding: Finding) => Promise<void> } = {},
  ): Promise<void> {
    const { only, skip } = this.#options;
    const isWanted = (id: string): boolean =>
      (only.length === 0 || only.includes(id)) && !skip.includes(id);
    for (const check of checks.filter(({ id }) => isWanted(id))) {
      const began = performance.now();
      const verdict = await tried(check, stage);
      const { run: _run, ...known } = check;
      const duration_ms = Math.round(performance.now() - began);
      const finding: Finding = { role, ...known, ...verdict, duration_ms };
      this.findings.push(finding);
      this.#found(finding);
      await after?.(finding);
    }
  }
}

/** A check that breaks off is a check that failed: the program has led the kit where it cannot go. */
async function tried<S>(check: Check<S>, stage: S): Promise<Verdict> {
  try {
    return await check.run(stage);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { outcome: "failed", why: [`the check broke off: ${why}`], seen: [] };
  }
}
