/** The edge by itself: the real face over a room that answers at once, beside the same handlers mounted bare. */
import { Hono } from "hono";

import worker from "../../src/index.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";
import { createApp, ROUTES } from "../../src/rest/app.ts";
import { correlate } from "../../src/rest/edge/correlation.ts";
import { protect } from "../../src/rest/edge/headers.ts";
import { stampVersion } from "../../src/rest/edge/version.ts";
import { portsOf } from "../../src/services-face.ts";
import { TYPICAL_TASK } from "./typical-task.mjs";

export * from "../../src/index.ts";

const AT = "2026-11-22T10:00:00.000Z";

const VIEW = {
  task_id: "t1",
  task_type: "general",
  description: "A task of the bench",
  status: "pending",
  phase: "queued",
  priority: "normal",
  pool: "default",
  complexity: "low",
  progress_percentage: null,
  current_step: null,
  agent_id: null,
  attempt: 0,
  max_attempts: 3,
  seq: 2,
  notification_count: 0,
  parent_task_id: null,
  batch_id: null,
  tags: ["bench"],
  metadata: null,
  created_at: AT,
  started_at: null,
  updated_at: AT,
  ended_at: null,
  deadline_at: null,
  end_reason: null,
  completion_status: null,
  result: null,
  error: null,
  quality_assessment: null,
  usage: { cost_usd: 0, tokens: 0, duration_s: 0 },
  links: {
    self: "/v1/tasks/t1",
    events: "/v1/tasks/t1/events",
    stream: "/v1/tasks/t1/stream",
    report: "/v1/tasks/t1/report",
  },
};

/** A room that knows one task: what it costs is in both. */
const tasks = {
  submit: async () => ({ ok: true, value: { view: VIEW, isNew: true } }),
  view: async () => ({ ok: true, value: VIEW }),
};

/** The same handlers with nothing in front of them: a body that is JSON, an answer that is sent as it comes. */
function bareApp(ports, ...middlewares) {
  const app = new Hono();
  for (const middleware of middlewares) app.use(middleware);
  for (const id of ["submit_task", "get_task"]) {
    const bare = ROUTES.find((route) => route.id === id);
    app.on(bare.method, bare.path, async (context) => {
      const sent = bare.body === undefined ? undefined : await context.req.json();
      const { value } = await bare.handle(ports, {
        principal: { key_id: "k", tenant: "bench", scopes: ["orchestrate"], isBootstrap: false },
        params: context.req.param(),
        query: {},
        headers: {},
        body: sent,
        sentBody: sent,
        traceId: "",
        origin: "",
        isHead: false,
        requestId: "",
      });
      return new Response(JSON.stringify(value.body), {
        status: value.status,
        headers: { "Content-Type": "application/json", ...value.headers },
      });
    });
  }
  return app;
}

function fnv1a(text) {
  let hash = 0x81_1c_9d_c5;
  for (let place = 0; place < text.length; place += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01_00_01_93);
  }
  return hash >>> 0;
}

/**
 * Does one thing so many times and nothing else, so that the process' CPU time is its cost: what a cache of verdicts
 * would have to do, beside what it would save.
 */
async function repeat(what, times) {
  const text = JSON.stringify(TYPICAL_TASK);
  const bytes = new TextEncoder().encode(text);
  const value = JSON.parse(text);
  const does = {
    nothing: () => {},
    sha256: () => crypto.subtle.digest("SHA-256", bytes),
    fnv1a: () => fnv1a(text),
    schema: () => taskExecutionSchema.parse(value),
  }[what];
  for (let turn = 0; turn < times; turn += 1) {
    const done = does();
    if (done instanceof Promise) await done;
  }
  return new Response(String(bytes.length));
}

const apps = new WeakMap();

function appsOf(env) {
  const known = apps.get(env);
  if (known !== undefined) return known;
  const real = portsOf(env);
  const ports = { ...real, tasks: { ...real.tasks, ...tasks } };
  const made = {
    edge: createApp(ports),
    // Ids, headers and the line in the log, which answers would need without keys, limits and schemas, too.
    told: bareApp(ports, correlate(ports), stampVersion(), protect),
    bare: bareApp(ports),
  };
  apps.set(env, made);
  return made;
}

// oxlint-disable-next-line import/no-default-export -- a Worker is one.
export default {
  ...worker,
  fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/repeat") {
      return repeat(searchParams.get("what"), Number(searchParams.get("times")));
    }
    // All of them look at this header, so that none has an advantage.
    const app = request.headers.get("x-bench") ?? "edge";
    return appsOf(env)[app].fetch(request, env, context);
  },
};
