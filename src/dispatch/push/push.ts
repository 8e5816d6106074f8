import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import type { Result } from "../../lib/result.ts";
import { spanIdOf } from "../../lib/trace-context.ts";
import type { PushMessage } from "../../protocol/queue-messages.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { attemptSpan } from "../../protocol/span-names.ts";
import type { Withheld } from "../../protocol/validation-record.ts";
import { poolAgentOf } from "../agents.ts";
import type { AgentRecord } from "../agents.ts";
import type { Assigned, Dispatcher } from "../dispatcher.ts";
import type { PoolPort } from "../pool/pool-port.ts";
import {
  ACCEPT_DEADLINE_MS,
  faultsOfPush,
  pushBody,
  pushId,
  verdictOf,
  WITHHELD,
} from "./push-answer.ts";
import type { PushAnswer, PushVerdict } from "./push-answer.ts";

/** One POST to an executor, to be signed with its secrets, which are sealed. */
export interface SignedPost {
  url: string;
  tenant: string;
  agent: AgentRecord;
  /** Goes into `webhook-id`. */
  id: string;
  body: string;
  task_id: string;
  attempt: number;
  /** The trace of the task, and the span of this attempt. */
  trace_id: string;
  span_id: string;
  timeoutMs: number;
}

/** What pushing needs. */
export interface PushPorts {
  now: Clock;
  log: Log;
  pool: (tenant: string, pool: string) => PoolPort;
  /** A registration as it is stored, or as it was a few seconds ago; null when there is none. */
  known: (tenant: string, agent_id: string) => Promise<AgentRecord | null>;
  take: Dispatcher["takeReserved"];
  /** Gives a task back for its executor, which costs no retry. */
  decline: (
    at: { tenant: string; task_id: string; token: string },
    reason: string,
  ) => Promise<Result<unknown, Refusal>>;
  /** Signs and sends. Never throws for what the receiver does: no answer is an answer too. */
  post: (request: SignedPost) => Promise<PushAnswer>;
  /** Tells of a push that broke its schema. Never fails. */
  tellWithheld: (withheld: Withheld) => Promise<void>;
}

/**
 * Sends one reserved task to its executor: has the task assigned, which mints the lease, and then posts it once.
 *
 * A repeated message sends nothing: the task refuses to be assigned a second time. What is not accepted in time goes
 * back to the pool and costs no retry. If this is cut off in between, the lease runs out like that of an executor
 * which never started.
 *
 * @throws when the registry, the pool or the task can't be asked: the message may then come again
 */
export async function push(message: PushMessage, ports: PushPorts): Promise<void> {
  const { tenant, agent_id } = message;
  const agent = await ports.known(tenant, agent_id);
  const url = agent?.registration.url;
  if (agent === null || url === undefined) return putBack(message, agent, ports);
  const taken = await ports.take(message);
  if (!taken.ok || taken.value === null) return;
  const verdict = await offer(message, { agent, url, ...taken.value }, ports);
  const { task_id } = message;
  const { outcome } = verdict;
  ports.log(outcome === "failed" ? "warning" : "info", "task_pushed", {
    tenant,
    task_id,
    agent_id,
    correlation_id: taken.value.trace_id,
    outcome,
  });
  await Promise.all([
    // Begun first: the pool should know of a failure before the task comes back to it.
    ports.pool(tenant, message.pool).pushed(agent_id, outcome),
    giveBack(message, { verdict, ...taken.value }, ports),
  ]);
}

/** The executor is gone or does not take pushes any more: its pool learns that, and another one may have the task. */
async function putBack(
  { tenant, pool: name, task_id, agent_id }: PushMessage,
  agent: AgentRecord | null,
  ports: PushPorts,
): Promise<void> {
  const pool = ports.pool(tenant, name);
  // Told first, or it would be given the same task again.
  if (agent === null) await pool.deregister(agent_id);
  else await pool.register(poolAgentOf(agent));
  const reserved = await pool.reservation(task_id, agent_id);
  if (reserved !== null) await pool.giveBack(task_id, reserved.attempt, agent_id);
}

async function offer(
  { tenant, task_id }: PushMessage,
  { agent, url, task, lease, trace_id }: Assigned & { agent: AgentRecord; url: string },
  ports: PushPorts,
): Promise<PushVerdict> {
  const { attempt } = lease;
  const body = pushBody(task, lease, ports.now());
  const places = faultsOfPush(body);
  if (places !== null) {
    const pointers = places.map(({ pointer }) => pointer).join(" ");
    ports.log("error", "push_invalid", { tenant, task_id, correlation_id: trace_id, pointers });
    await ports.tellWithheld({ tenant, route: "push:task_execution", places });
    return WITHHELD;
  }
  const answer = await ports.post({
    url,
    tenant,
    agent,
    id: pushId(task_id, attempt),
    body,
    task_id,
    attempt,
    trace_id,
    span_id: await spanIdOf(trace_id, attemptSpan(task_id, attempt)),
    timeoutMs: ACCEPT_DEADLINE_MS,
  });
  return verdictOf(answer);
}

async function giveBack(
  { tenant, task_id, agent_id }: PushMessage,
  { verdict, lease, trace_id }: Assigned & { verdict: PushVerdict },
  { decline, log }: PushPorts,
): Promise<void> {
  if (verdict.outcome === "accepted") return;
  const declined = await decline({ tenant, task_id, token: lease.token }, verdict.reason);
  // It was cancelled, or its lease ran out meanwhile: then it is nobody's already.
  if (!declined.ok) {
    const ids = { tenant, task_id, agent_id, correlation_id: trace_id };
    log("info", "push_not_given_back", { ...ids, code: declined.refusal.code });
  }
}
