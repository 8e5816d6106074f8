import { createEmptied } from "./dispatch/emptied.ts";
import { explainWithEstimate } from "./dispatch/estimate.ts";
import type { Tasks } from "./dispatch/tasks.ts";
import { listTasks } from "./history/list-store.ts";
import { ok, refuse, type Result } from "./lib/result.ts";
import type { Principal, SignedBy } from "./protocol/access.ts";
import type { AgentEndTask } from "./protocol/agent-end-task.ts";
import type { Heartbeat } from "./protocol/agent.ts";
import type { Refusal } from "./protocol/refusal.ts";
import type { NotesPort } from "./rest/notes-port.ts";
import type { EventSocket, TaskPort } from "./rest/ports.ts";
import type { SubtaskPort } from "./rest/subtask-port.ts";
import type { Services } from "./services.ts";

/* What the REST face is given of tasks: by their objects, and by history once these are empty. */

/** What a task's object answers to who wants to watch a task that it does not know. */
const UNKNOWN_TASK = 404;

/** Events of one replay; who has them asks again for those that follow, as with a stream of a live task. */
const REPLAYED = 1_000;

/** Normal closure (RFC 6455 §7.4.1). */
const NORMAL_CLOSURE = 1_000;

function signerOf({ agent_id, message }: Principal): SignedBy | undefined {
  return agent_id === undefined || message === undefined ? undefined : { agent_id, ...message };
}

function emptiedOf({ past, tasks }: Services) {
  return createEmptied({
    pastView: (tenant, task_id) => past.view(tenant, task_id),
    readable: (by, task_id) => tasks.readable(by, task_id),
  });
}

/** A socket that says what history knows from a seq on, and closes. */
async function replay(
  { events }: Tasks,
  by: Principal,
  { task_id, after }: { task_id: string; after: number },
): Promise<Result<EventSocket, Refusal>> {
  const page = await events(by, task_id, { after, limit: REPLAYED });
  if (!page.ok) return page;
  const { 0: far, 1: near } = new WebSocketPair();
  near.accept();
  for (const event of page.value.items) near.send(JSON.stringify(event));
  near.close(NORMAL_CLOSURE);
  return ok(far);
}

/** Subtasks as the REST face uses them. */
export function subtaskPort(services: Services): SubtaskPort {
  const { subtasks } = services;
  const emptied = emptiedOf(services);
  return {
    offer: (by, at, offer, request) =>
      emptied.orders((who) => subtasks.offer(who, at, offer, request))(by, at.task_id),
    view: emptied.reads(subtasks.view),
    shared: emptied.reads(subtasks.shared),
    share: (by, at, change) =>
      emptied.orders((who) => subtasks.share(who, at, change))(by, at.task_id),
  };
}

/** Notes as the REST face uses them. */
export function notesPort(services: Services): NotesPort {
  const { notes } = services;
  const emptied = emptiedOf(services);
  return {
    list: (by, at) => emptied.reads((who) => notes.list(who, at))(by, at.task_id),
    get: (by, at, key) => emptied.reads((who) => notes.get(who, at, key))(by, at.task_id),
    put: (by, at, note) => emptied.orders((who) => notes.put(who, at, note))(by, at.task_id),
    remove: (by, at, key) => emptied.orders((who) => notes.remove(who, at, key))(by, at.task_id),
  };
}

/** Tasks as the REST face uses them. */
export function taskPort(services: Services): TaskPort {
  const { tasks, attempts, interventions, task, history } = services;
  const { submit, view, events, report } = tasks;
  const emptied = emptiedOf(services);
  const at = (by: Principal, task_id: string, token: string | null) => ({
    tenant: by.tenant,
    signer: signerOf(by),
    task_id,
    token,
  });
  return {
    submit,
    view,
    events,
    report,
    list: (tenant, query) => history.read(tenant, (db) => listTasks(db, tenant, query)),
    watch: async (by, task_id, after) => {
      const allowed = await tasks.readable(by, task_id);
      if (!allowed.ok) return allowed;
      // Not an address anywhere: the path by which the object knows what is asked.
      const answer = await task(by.tenant, task_id).fetch(
        `https://task/watch?after=${after}${by.public_task === undefined ? "" : "&public=1"}`,
        {
          headers: { Upgrade: "websocket" },
        },
      );
      if (answer.webSocket) return ok(answer.webSocket);
      if (answer.status === UNKNOWN_TASK) return replay(tasks, by, { task_id, after });
      const detail = "too many streams of this task are open; try again when one has ended";
      return refuse({ code: "rate_limited", detail, extra: { retry_after: 15 } });
    },
    command: emptied.orders(interventions.command),
    commands: emptied.reads(interventions.commands),
    explain: explainWithEstimate({
      explain: async (by, task_id) => {
        const done = await interventions.explain(by, task_id);
        const isEmpty = !done.ok && done.refusal.code === "task_not_found";
        return isEmpty ? tasks.explainPast(by, task_id) : done;
      },
      view,
      histories: services.typeHistories,
    }),
    rebuild: emptied.reads(interventions.rebuild),
    decline: emptied.orders((by, task_id, token: string | null, reason: string) =>
      attempts.decline(at(by, task_id, token), reason),
    ),
    heartbeat: emptied.orders((by, task_id, token: string | null, beat: Heartbeat) =>
      attempts.heartbeat(at(by, task_id, token), beat),
    ),
    notify: (by, token, notification) =>
      emptied.orders((who, task_id) => attempts.notify(at(who, task_id, token), notification))(
        by,
        notification.task_id,
      ),
    end: emptied.orders((by, task_id, token: string | null, end: AgentEndTask) =>
      attempts.end(at(by, task_id, token), end),
    ),
  };
}
