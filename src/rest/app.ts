import { Hono } from "hono";

import type { Scope } from "../protocol/enums.ts";
import { alertChannelRoutes } from "./alert-channel-routes.ts";
import { alertRoutes } from "./alert-routes.ts";
import { auditRoutes } from "./audit-routes.ts";
import { batchRoutes } from "./batch-routes.ts";
import { blockRoutes } from "./block-routes.ts";
import { channelRoutes } from "./channel-routes.ts";
import { debtRoutes } from "./debt-routes.ts";
import { documentationRoutes } from "./docs-routes.ts";
import { limitAddress } from "./edge/address.ts";
import { answer } from "./edge/answer.ts";
import { tellDenials } from "./edge/audit.ts";
import { authenticate, authorize } from "./edge/auth.ts";
import { limitSize } from "./edge/body.ts";
import { correlate } from "./edge/correlation.ts";
import { sharing } from "./edge/cors.ts";
import { protect } from "./edge/headers.ts";
import { limitRequests } from "./edge/limit.ts";
import { meterRequests } from "./edge/metering.ts";
import { refuseBlockedKey, watchOffences } from "./edge/offences.ts";
import { answerRefusal } from "./edge/problems.ts";
import { authenticateReader } from "./edge/public-reader.ts";
import { authenticateSigned } from "./edge/signature.ts";
import { validate } from "./edge/validate.ts";
import { recordValidations } from "./edge/validation-log.ts";
import { stampVersion } from "./edge/version.ts";
import { escalationRoutes } from "./escalation-routes.ts";
import { executorRoutes } from "./executor-routes.ts";
import { followUpRoutes } from "./follow-up-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { limitRoutes } from "./limit-routes.ts";
import { memoryRoutes } from "./memory-routes.ts";
import { metricsRoutes } from "./metrics-routes.ts";
import { modelDecisionRoutes } from "./model-decision-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import { notesRoutes } from "./notes-routes.ts";
import { objectiveRoutes } from "./objective-routes.ts";
import { observeRoutes } from "./observe-routes.ts";
import { openApiDocument } from "./openapi.ts";
import { classOf } from "./operation-class.ts";
import { operationRoutes } from "./operation-routes.ts";
import { overviewRoutes } from "./overview-routes.ts";
import { PAGES, showPage } from "./pages.ts";
import { poolRoutes } from "./pool-routes.ts";
import type { RestPorts } from "./ports.ts";
import { ratingRoutes } from "./rating-routes.ts";
import { repairRoutes } from "./repair-routes.ts";
import { requestRoutes } from "./request-routes.ts";
import type { RestContext, RestEnv, Route } from "./route.ts";
import { subtaskRoutes } from "./subtask-routes.ts";
import { taskRoutes } from "./task-routes.ts";
import { traceRoutes } from "./trace-routes.ts";
import { validationRoutes } from "./validation-routes.ts";
import { versionRoutes } from "./version-routes.ts";
import { webhookAuditRoutes } from "./webhook-audit-routes.ts";
import { webhookFilterRoutes } from "./webhook-filter-routes.ts";
import { webhookOperationRoutes } from "./webhook-operation-routes.ts";
import { webhookRoutes } from "./webhook-routes.ts";

/** Every route of this face. What is not in this table is neither mounted nor documented. */
export const ROUTES: readonly Route[] = [
  ...taskRoutes,
  ...traceRoutes,
  ...escalationRoutes,
  ...debtRoutes,
  ...batchRoutes,
  ...requestRoutes,
  ...executorRoutes,
  ...channelRoutes,
  ...poolRoutes,
  ...modelRoutes,
  ...subtaskRoutes,
  ...notesRoutes,
  ...memoryRoutes,
  ...webhookFilterRoutes,
  ...webhookRoutes,
  ...webhookOperationRoutes,
  ...webhookAuditRoutes,
  ...alertChannelRoutes,
  ...followUpRoutes,
  ...observeRoutes,
  ...repairRoutes,
  ...overviewRoutes,
  ...ratingRoutes,
  ...metricsRoutes,
  ...alertRoutes,
  ...objectiveRoutes,
  ...auditRoutes,
  ...keyRoutes,
  ...operationRoutes,
  ...versionRoutes,
  ...blockRoutes,
  ...limitRoutes,
  ...validationRoutes,
  ...modelDecisionRoutes,
  ...documentationRoutes(() => openApiDocument(ROUTES)),
];

/** The methods that each path knows, to tell an unknown address from a wrong method. */
const PATHS = [...new Set(ROUTES.map(({ path }) => path))].map((path) => {
  const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method);
  return {
    pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+")}$`),
    allow: [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", "),
  };
});

function answerUnmatched(context: RestContext): Response {
  const known = PATHS.find(({ pattern }) => pattern.test(context.req.path));
  if (known === undefined) {
    return answerRefusal(context, {
      code: "not_found",
      detail: "the addresses of this API are listed at /docs",
    });
  }
  const headers = { Allow: known.allow };
  if (context.req.method === "OPTIONS") return new Response(null, { status: 204, headers });
  const detail = `${context.req.method} is not one of ${known.allow}`;
  return answerRefusal(context, { code: "method_not_allowed", detail }, headers);
}

/** What the platform marks passing errors with (Durable Objects, error handling); the last: a deployment replaces the object. */
const PASSING = ["overloaded", "retryable", "durableObjectReset"];

/** Whether an object or a queue only asks for patience: what the platform marks so may be tried again. */
function isPassing(error: Error): boolean {
  return PASSING.some((mark) => Reflect.get(error, mark) === true);
}

/** Seconds after which it may be tried again, where the error says. */
function pauseOf(error: Error): number {
  return "retry_after" in error && typeof error.retry_after === "number" ? error.retry_after : 1;
}

function answerError(ports: RestPorts, error: Error, context: RestContext): Response {
  ports.log("error", "request_failed", {
    route: context.get("route"),
    request_id: context.get("requestId"),
    error: error.message,
    stack: error.stack,
  });
  return isPassing(error)
    ? answerRefusal(context, {
        code: "unavailable",
        detail: "a part of the system does not answer at the moment; try again",
        extra: { retry_after: pauseOf(error) },
      })
    : answerRefusal(context, {
        code: "internal_error",
        detail: "something broke; nothing more is said here, so quote the request_id",
      });
}

/** Mounts one route behind the checks that its declaration asks for, in the order of protocol.md §4. */
function mount(app: Hono<RestEnv>, route: Route, ports: RestPorts): void {
  const byKey = route.isPublicReadable === true ? authenticateReader : authenticate;
  const recognise = route.isSignable === true ? authenticateSigned(ports) : byKey(ports.keys);
  const guards = (scopes: readonly Scope[]) => [
    recognise,
    refuseBlockedKey(ports.offenders),
    authorize(scopes),
    limitRequests(route, ports.limits),
  ];
  app.on(
    route.method,
    route.path,
    (context, next) => {
      context.set("route", route.path);
      return next();
    },
    recordValidations(route, ports),
    ...(classOf(route) === "admin" ? [tellDenials(route.id, ports)] : []),
    limitSize(route.body !== undefined),
    limitAddress(ports.addresses),
    ...(route.scopes === null ? [] : guards(route.scopes)),
    validate(route, ports),
    answer(route, ports),
  );
}

/**
 * The REST face: translates HTTP to the ports and back, and decides nothing.
 *
 * Refusals leave as problems, errors as problems that say nothing; both carry the request's id.
 */
export function createApp(ports: RestPorts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  const { share, preflight } = sharing(ports.corsOrigins, ROUTES);
  app.use(correlate(ports), meterRequests(ports), stampVersion(), protect, share);
  app.use(watchOffences(ports));
  for (const route of ROUTES) mount(app, route, ports);
  for (const path of PAGES) app.get(path, limitAddress(ports.addresses), showPage(ports.page));
  // Only what no route has answered comes this far: it is cheap, and counts nevertheless.
  app.use(limitAddress(ports.addresses), preflight);
  app.notFound(answerUnmatched);
  app.onError((error, context) => answerError(ports, error, context));
  return app;
}
