import type { Agents } from "./dispatch/agents.ts";
import type { BatchPorts, Creation } from "./dispatch/batch/batch-ports.ts";
import { createBatches } from "./dispatch/batch/batches.ts";
import { createRequests } from "./dispatch/request/requests.ts";
import type { RequestsParts } from "./dispatch/request/requests.ts";
import { rosterOf } from "./dispatch/request/roster.ts";
import type { Tasks } from "./dispatch/tasks.ts";
import { consoleLog } from "./lib/log.ts";
import { randomId } from "./lib/ports.ts";
import { ok } from "./lib/result.ts";
import type { AgentView } from "./protocol/agent.ts";
import { now, type Doors } from "./services-doors.ts";
import type { KinPorts } from "./task/ports.ts";

/* What batches and requests are built of. */

interface BatchWorld {
  doors: Doors;
  tasks: Tasks;
  agents: Agents;
}

/** Executors in one answer of the registry. */
const AGENTS_PER_PAGE = 200;

/** Pages of the registry that a plan looks at: who has more executors names more pools. */
const MOST_PAGES = 5;

async function registered(agents: Agents, tenant: string): Promise<AgentView[]> {
  const found: AgentView[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { items, next_cursor } = await agents.list(tenant, { cursor, limit: AGENTS_PER_PAGE });
    found.push(...items);
    if (next_cursor === null) break;
    cursor = next_cursor;
  }
  return found;
}

async function roster({ doors, agents }: BatchWorld, tenant: string, pool: string) {
  const [views, presences] = await Promise.all([
    registered(agents, tenant),
    doors.pool(tenant, pool).presence(),
  ]);
  return rosterOf(pool, views, presences);
}

/** The use cases of batches and requests. */
export function batchServices(world: BatchWorld) {
  const { doors, tasks } = world;
  const parts: RequestsParts = {
    now,
    newId: randomId,
    batch: doors.batch,
    check: (by, task, request, group) => tasks.check(by, task, request, { ...group, gates: [] }),
    checkChildren: tasks.submissions.checkChildren,
    typeHistory: doors.typeHistories,
    view: (by, task_id) => tasks.view(by, task_id),
    roster: (tenant, pool) => roster(world, tenant, pool),
  };
  return { batches: createBatches(parts), requests: createRequests(parts) };
}

async function create(tasks: Tasks, { plan, item, isGated }: Creation) {
  const { batch_id, by, trace_id, hop, origin } = plan;
  const { task_id, assessment, approval } = item;
  const task = { ...item.task, task_id };
  const done = await tasks.submit(
    by,
    task,
    {
      body: { batch_id, task },
      idempotencyKey: null,
      traceId: trace_id,
      hop,
      origin,
      assessment,
      ...(approval !== null && { approval }),
    },
    {
      batch_id,
      gates: isGated ? [{ kind: "batch", batch_id }] : [],
      known: plan.items.map((other) => other.task_id),
    },
  );
  return done.ok ? ok(null) : done;
}

/** What batches' objects need from other parts. */
export function batchPorts(
  tasks: Tasks,
  kin: Pick<KinPorts, "poke" | "stop">,
  { expand }: ReturnType<typeof createRequests>,
): BatchPorts {
  return {
    create: (creation) => create(tasks, creation),
    poke: (tenant, task_id) => kin.poke(tenant, task_id),
    stop: (tenant, task_id, stop) => kin.stop(tenant, task_id, stop),
    expand,
    log: consoleLog("batch", now),
  };
}
