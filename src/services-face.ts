import { listDeadLetters } from "./history/dead-letter-store.ts";
import type { Histories } from "./history/shards/histories.ts";
import { consoleLog } from "./lib/log.ts";
import { hex, randomId } from "./lib/ports.ts";
import { reachable, type Reach } from "./lib/reachable.ts";
import { ok } from "./lib/result.ts";
import { createApp } from "./rest/app.ts";
import type { HealthPort, RestPorts } from "./rest/ports.ts";
import {
  alertPort,
  alertSources,
  alertsFiring,
  objectivePort,
  recentObjectives,
} from "./services-alerts.ts";
import { trailOf } from "./services-audit.ts";
import { channelPort } from "./services-channels.ts";
import { debtPort } from "./services-debts.ts";
import { doorsOf, now } from "./services-doors.ts";
import { openSocket, signersOf } from "./services-executors.ts";
import { faultsInjected } from "./services-faults.ts";
import { keyPort } from "./services-keys.ts";
import { limitPort } from "./services-limits.ts";
import { memoryPort } from "./services-memory.ts";
import { meterPort } from "./services-meter.ts";
import { modelsOf } from "./services-models.ts";
import { followUpPort, observePort } from "./services-observe.ts";
import { outskirtPorts } from "./services-offenders.ts";
import { overviewPort } from "./services-overview.ts";
import { newsQueues } from "./services-queues.ts";
import { ratingPort } from "./services-ratings.ts";
import { modelDecisionPort } from "./services-routing.ts";
import { notesPort, subtaskPort, taskPort } from "./services-task-port.ts";
import { tracePort } from "./services-trace.ts";
import { validationsOf } from "./services-validations.ts";
import { routingPort } from "./services-webhooks.ts";
import { servicesOf, type Services } from "./services.ts";

/* What the HTTP face is given. */

function newHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return hex(random);
}

/** How long each dependency has to answer a probe: one that hangs is named, and the others are told of. Milliseconds. */
const PROBE_MS = 2_500;

const WORST: readonly Reach[] = ["unreachable", "slow", "ok"];

/** Whether all databases answer that hold history, and all are bound that are to hold some. */
async function historyReach(history: Histories): Promise<Reach | "unbound"> {
  const probes = history.databases.map(({ db }) =>
    reachable(PROBE_MS, () => db.prepare("SELECT 1 FROM task LIMIT 1").run()),
  );
  let missing: string[] = [];
  const first = reachable(PROBE_MS, async () => {
    missing = await history.missing();
  });
  const found = await Promise.all([first, ...probes]);
  if (missing.length > 0) {
    consoleLog("history", now)("error", "history_databases_unbound", {
      bindings: missing.join(","),
    });
    return "unbound";
  }
  return WORST.find((state) => found.includes(state)) ?? "ok";
}

function healthPort(env: Env, { pool }: Services): HealthPort {
  const { bucket, history } = doorsOf(env);
  return {
    async ready() {
      const [database, objects, queues, archive] = await Promise.all([
        historyReach(history),
        reachable(PROBE_MS, () => pool("default", "default").presence()),
        reachable(PROBE_MS, () => Promise.all(newsQueues(env).map((queue) => queue.metrics()))),
        bucket === null ? null : reachable(PROBE_MS, () => bucket.head("ready")),
      ]);
      const needed = { database, objects, queues };
      const isReady = Object.values(needed).every((state) => state === "ok");
      const faults = faultsInjected();
      // Without its archive an installation works on: old tasks wait in D1 until it is back. Injected faults are named
      // and no reason not to be ready: whoever asked for them wants to see it work under them.
      const more = { ...(archive !== null && { archive }), ...(faults !== null && { faults }) };
      return { isReady, dependencies: { ...needed, ...more } };
    },
    deadLetters: (by, page) => listDeadLetters(env.DB, by, page),
  };
}

/** What shows how it goes. */
function sightPorts(env: Env, { agents, operations }: Services, health: HealthPort) {
  const objectives = objectivePort(env);
  const recent = recentObjectives(objectives);
  const list: typeof agents.list = (tenant, page) => agents.list(tenant, page);
  return {
    observe: observePort(env, list),
    meter: meterPort(env, list, alertSources(env, recent)),
    alerts: alertPort(env),
    objectives,
    overview: overviewPort(env, {
      agents: list,
      stats: (...asked) => operations.stats(...asked),
      health,
      alertsFiring: (tenant) => alertsFiring(env, tenant),
      objectives: recent,
    }),
  };
}

/** Everything that the HTTP face is given. */
export function portsOf(env: Env): RestPorts {
  const services = servicesOf(env);
  const { agents, dispatcher, webhooks, operations, interventions } = services;
  const routing = routingPort(env);
  const health = healthPort(env, services);
  const ports: RestPorts = {
    now,
    log: consoleLog("http", now),
    newRequestId: randomId,
    newHex,
    openSocket,
    ...outskirtPorts(env),
    limits: limitPort(env),
    keys: keyPort(env, services),
    tasks: taskPort(services),
    batches: services.batches,
    requests: services.requests,
    escalations: {
      list: interventions.escalations,
      get: interventions.escalation,
      resolve: interventions.resolve,
    },
    debts: debtPort(env, services.tasks),
    subtasks: subtaskPort(services),
    notes: notesPort(services),
    memories: memoryPort(env),
    agents: {
      ...agents,
      claim: dispatcher.claim,
      mayClaim: async (by, agent_id) => {
        const found = await agents.claimant(by, agent_id, false);
        return found.ok ? ok(null) : found;
      },
      signer: signersOf(services, agents.known),
    },
    models: modelsOf(env).catalogue,
    webhooks,
    operations,
    channels: channelPort(env),
    audit: services.auditReads,
    trail: trailOf(env, services),
    routing,
    health,
    ...sightPorts(env, services, health),
    traces: tracePort(env, services.tasks, routing),
    ratings: ratingPort(env, services.tasks),
    followUps: followUpPort(env, services.tasks, interventions.command),
    validations: validationsOf(env),
    modelDecisions: modelDecisionPort(env),
  };
  return ports;
}

const faces = new WeakMap<Env, ReturnType<typeof createApp>>();

/** The HTTP face. */
export function faceOf(env: Env): ReturnType<typeof createApp> {
  const known = faces.get(env);
  if (known !== undefined) return known;
  const face = createApp(portsOf(env));
  faces.set(env, face);
  return face;
}
