import type { Config } from "./config.ts";
import { publish } from "./delivery/fan-out.ts";
import { createAgents } from "./dispatch/agents.ts";
import { createAttempts } from "./dispatch/attempts.ts";
import type { BatchPorts } from "./dispatch/batch/batch-ports.ts";
import { createDispatcher } from "./dispatch/dispatcher.ts";
import { createInterventions } from "./dispatch/interventions.ts";
import { createNotes } from "./dispatch/notes.ts";
import type { PushPorts } from "./dispatch/push/push.ts";
import { createSubtasks } from "./dispatch/subtasks.ts";
import { fetchInput } from "./executor/input-source.ts";
import type { ExecutorPorts } from "./executor/ports.ts";
import { listEscalations, readEscalation } from "./history/escalation-store.ts";
import { REMOVED_MARGIN_DAYS } from "./history/removed.ts";
import { readRecordedTo } from "./history/task-log-store.ts";
import { consoleLog } from "./lib/log.ts";
import { randomId } from "./lib/ports.ts";
import { BUILTIN_AGENT_ID } from "./protocol/agent.ts";
import { batchPorts, batchServices } from "./services-batches.ts";
import { builtinPartsOf } from "./services-builtin.ts";
import { doorsOf, now } from "./services-doors.ts";
import { addressFault, postSigned } from "./services-executors.ts";
import { askKinOf, kinPortsOf } from "./services-kin.ts";
import { rememberingOf } from "./services-memory.ts";
import { newsQueueOf } from "./services-queues.ts";
import { keyOfAgent, tasksOf, unknownWebhooks } from "./services-tasks.ts";
import { withheldTeller } from "./services-validations.ts";
import { fanOutPorts, webhookServices } from "./services-webhooks.ts";
import type { TaskPorts } from "./task/ports.ts";

/* The one place that builds things from the bindings. It decides nothing. */

function build(env: Env) {
  const doors = doorsOf(env);
  const { config, task, pool, callbacks, history } = doors;
  const tasks = tasksOf(doors);
  const agents = createAgents({
    ...callbacks,
    store: doors.agentStore,
    pool,
    urlFault: addressFault(doors),
    isSamOn: config.isSamOn,
  });
  return {
    ...doors,
    agents,
    attempts: createAttempts(task),
    dispatcher: createDispatcher({
      now,
      newId: randomId,
      log: consoleLog("dispatch", now),
      pool,
      claimant: agents.claimant,
      assign: (tenant, task_id, offer) => task(tenant, task_id).assign(offer),
    }),
    tasks,
    subtasks: createSubtasks({
      newId: randomId,
      askKin: askKinOf(doors),
      submissions: tasks.submissions,
      readable: (by, task_id) => tasks.readable(by, task_id),
    }),
    notes: createNotes({
      ask: (tenant, task_id, call) => task(tenant, task_id).notes(JSON.stringify(call)),
      view: (by, task_id) => tasks.view(by, task_id),
    }),
    interventions: createInterventions({
      task,
      readable: (by, task_id) => tasks.readable(by, task_id),
      pastView: (tenant, task_id) => doors.past.view(tenant, task_id),
      archive: {
        list: (tenant, query) => history.read(tenant, (db) => listEscalations(db, tenant, query)),
        get: (tenant, escalation_id) =>
          history.get(tenant, (db) => readEscalation(db, tenant, escalation_id)),
      },
      keyOfAgent: (tenant, agent_id) => keyOfAgent(doors, tenant, agent_id),
      placeInPool: (tenant, name, task_id) => pool(tenant, name).explain(task_id),
    }),
    ...batchServices({ doors, tasks, agents }),
    ...webhookServices(doors),
  };
}

/** Everything that is built once an isolate. */
export type Services = ReturnType<typeof build>;

/** One set of services an isolate: they remember keys and registrations for a few seconds. */
const built = new WeakMap<Env, Services>();

/** The services of this isolate. */
export function servicesOf(env: Env): Services {
  const known = built.get(env);
  if (known !== undefined) return known;
  const services = build(env);
  built.set(env, services);
  return services;
}

const DAY_MS = 86_400_000;

const taskPorts = new WeakMap<Env, TaskPorts>();

/** What tasks need from other rooms: the same for all tasks of an isolate. */
export function taskPortsOf(env: Env): TaskPorts {
  const known = taskPorts.get(env) ?? newTaskPorts(env);
  taskPorts.set(env, known);
  return known;
}

/** The longest that anything of a task is in history, after its end. Milliseconds; null where that never ends. */
function forgottenMs({ historyDays, removedDays }: Config["taskRetention"]): number | null {
  return removedDays === null ? null : (historyDays + removedDays + REMOVED_MARGIN_DAYS) * DAY_MS;
}

function newTaskPorts(env: Env): TaskPorts {
  const services = servicesOf(env);
  const { pool } = services;
  const fanOut = { ...fanOutPorts(services), tellWithheld: withheldTeller(env) };
  return {
    ...kinPortsOf(services),
    ...rememberingOf(env),
    announce: (tenant, name, announcement) => pool(tenant, name).announce(announcement),
    release: (tenant, name, { task_id, attempt, outcome }) =>
      pool(tenant, name).release(task_id, attempt, undefined, outcome ?? undefined),
    publish: (news) => publish(fanOut, news),
    record: async (message) => {
      await newsQueueOf(env, message).send(message);
    },
    recordedTo: (tenant, task_id, created_at) =>
      services.history.get(tenant, (db) => readRecordedTo(db, { tenant, task_id, created_at })),
    missingStakeholders: (tenant, webhook_ids) =>
      unknownWebhooks(services.webhookStore, tenant, webhook_ids),
    endPhases: services.config.endPhases,
    retentionMs: services.config.taskRetention.objectDays * DAY_MS,
    forgottenMs: forgottenMs(services.config.taskRetention),
    log: consoleLog("task", now),
  };
}

/** What batches need from other parts. */
export function batchPortsOf(env: Env): BatchPorts {
  const services = servicesOf(env);
  return batchPorts(services.tasks, kinPortsOf(services), services.requests);
}

/** What the built-in executor needs: the doors that every executor has. */
export function executorPortsOf(
  env: Env,
  lazy: Parameters<typeof builtinPartsOf>[2],
): ExecutorPorts {
  const services = servicesOf(env);
  const { attempts, dispatcher } = services;
  const fault = addressFault(services);
  const isAllowed = async (url: string): Promise<boolean> => (await fault(url)) === null;
  const get = (url: string, init: RequestInit): Promise<Response> => fetch(url, init);
  return {
    ...builtinPartsOf(env, { get, urlFault: fault }, lazy),
    now,
    log: consoleLog("executor", now),
    take: (message) => dispatcher.takeReserved({ ...message, agent_id: BUILTIN_AGENT_ID }),
    notify: ({ lease, ...to }, notification) =>
      attempts.notify({ ...to, token: lease.token }, notification),
    heartbeat: ({ lease, ...to }, beat) => attempts.heartbeat({ ...to, token: lease.token }, beat),
    end: ({ lease, ...to }, end) => attempts.end({ ...to, token: lease.token }, end),
    fetchInput: (url, form, signal) => fetchInput(url, form, { get, isAllowed, signal }),
  };
}

/** What pushing tasks to executors needs. */
export function pushPortsOf(env: Env): PushPorts {
  const services = servicesOf(env);
  const { agents, attempts, dispatcher, pool } = services;
  return {
    now,
    log: consoleLog("push", now),
    pool,
    known: agents.known,
    take: dispatcher.takeReserved,
    decline: (at, reason) => attempts.decline(at, reason),
    post: (request) => postSigned(services, request),
    tellWithheld: withheldTeller(env),
  };
}
