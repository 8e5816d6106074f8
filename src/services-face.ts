import { listDeadLetters } from "./history/dead-letter-store.ts";
import { consoleLog } from "./lib/log.ts";
import { hex, randomId } from "./lib/ports.ts";
import { ok } from "./lib/result.ts";
import { createApp } from "./rest/app.ts";
import type { HealthPort, RestPorts } from "./rest/ports.ts";
import { trailOf } from "./services-audit.ts";
import { debtPort } from "./services-debts.ts";
import { now } from "./services-doors.ts";
import { openSocket, signersOf } from "./services-executors.ts";
import { keyPort } from "./services-keys.ts";
import { limitPort } from "./services-limits.ts";
import { memoryPort } from "./services-memory.ts";
import { meterPort } from "./services-meter.ts";
import { modelsOf } from "./services-models.ts";
import { followUpPort, observePort } from "./services-observe.ts";
import { outskirtPorts } from "./services-offenders.ts";
import { ratingPort } from "./services-ratings.ts";
import { modelDecisionPort } from "./services-routing.ts";
import { notesPort, subtaskPort, taskPort } from "./services-task-port.ts";
import { validationsOf } from "./services-validations.ts";
import { routingPort } from "./services-webhooks.ts";
import { servicesOf, type Services } from "./services.ts";

/* What the HTTP face is given. */

function newHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return hex(random);
}

async function reachable(probe: () => Promise<unknown>): Promise<string> {
  try {
    await probe();
    return "ok";
  } catch {
    // What exactly is wrong is in the log of whoever needed it; a probe tells the world no more.
    return "unreachable";
  }
}

function healthPort(env: Env, { pool }: Services): HealthPort {
  return {
    async ready() {
      const [database, objects, queues] = await Promise.all([
        reachable(() => env.DB.prepare("SELECT 1 FROM task LIMIT 1").run()),
        reachable(() => pool("default", "default").presence()),
        reachable(() => env.EVENTS.metrics()),
      ]);
      const dependencies = { database, objects, queues };
      const isReady = Object.values(dependencies).every((state) => state === "ok");
      return { isReady, dependencies };
    },
    deadLetters: (by, page) => listDeadLetters(env.DB, by, page),
  };
}

/** Everything that the HTTP face is given. */
export function portsOf(env: Env): RestPorts {
  const services = servicesOf(env);
  const { agents, dispatcher, webhooks, operations, interventions } = services;
  const ports: RestPorts = {
    now,
    log: consoleLog("http", now),
    newRequestId: randomId,
    newHex,
    openSocket,
    ...outskirtPorts(env),
    limits: limitPort(env),
    keys: keyPort(env, services),
    tasks: taskPort(env, services),
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
    audit: services.auditReads,
    trail: trailOf(env, services),
    routing: routingPort(env),
    health: healthPort(env, services),
    observe: observePort(env, (tenant, page) => agents.list(tenant, page)),
    meter: meterPort(env, (tenant, page) => agents.list(tenant, page)),
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
