import type { MiddlewareHandler } from "hono";

import type { RefusalCode } from "../../protocol/refusal.ts";
import type { ValidationOutcome } from "../../protocol/validation-record.ts";
import type { RestPorts } from "../ports.ts";
import type { RestContext, RestEnv, Route } from "../route.ts";
import type { ValidationDetail, ValidationReport } from "../validation-port.ts";
import { keepAliveOf } from "./afterwards.ts";
import { detailOf } from "./validation-detail.ts";

/** Refusals that are no judgement of the message. */
const NOT_ITS_FAULT: ReadonlySet<RefusalCode> = new Set(["unavailable", "internal_error"]);

/** What a validation came to. */
export interface Verdict {
  outcome: ValidationOutcome;
  code: RefusalCode | null;
}

function verdictOf(context: RestContext): Verdict {
  const code = context.get("refusal")?.code ?? null;
  if (context.get("withheld") !== undefined) return { outcome: "withheld", code };
  return code === null || NOT_ITS_FAULT.has(code)
    ? { outcome: "passed", code: null }
    : { outcome: "refused", code };
}

function detailFor(route: Route, context: RestContext): ValidationDetail {
  const { req } = context;
  const withheld = context.get("withheld");
  return {
    ...detailOf(route, {
      params: req.param(),
      query: req.query(),
      hasHeader: (name) => req.header(name) !== undefined,
      body: context.get("checked").body,
      refusal: withheld === undefined ? context.get("refusal") : undefined,
      warnings: context.get("warnings") ?? [],
    }),
    ...(withheld !== undefined && { errors: withheld, faults: withheld.length }),
  };
}

/** A message that was refused has a line of its own; what passed is told in the line of its request. */
export function logRefused(log: RestPorts["log"], report: ValidationReport): void {
  const detail = report.detail();
  log("info", "validation_refused", {
    route: report.route,
    operation: report.operation,
    request_id: report.request_id,
    tenant: report.tenant,
    key_id: report.key_id,
    code: report.code,
    checks: report.validations.join(" "),
    fields: detail.fields.join(" "),
    unknown_fields: detail.unknown_fields,
    errors: detail.errors.map(({ pointer, code }) => `${pointer} ${code}`).join(", "),
    faults: detail.faults,
    warnings: detail.warnings.join(", "),
    duration_us: report.duration_us,
  });
}

/**
 * Writes down every validation of a route when it is over: what was checked, which declared fields were there, where the
 * faults lie, and what came of it. Values never (requirements.md rows 117 and 118).
 *
 * A request that ended before anything in it was judged, such as one without a key, leaves none.
 */
export function recordValidations(route: Route, ports: RestPorts): MiddlewareHandler<RestEnv> {
  return async (context, next) => {
    await next();
    const checked = context.get("checked");
    if (checked === undefined) return;
    const verdict = verdictOf(context);
    context.set("verdict", verdict);
    const principal = context.get("principal");
    let detail: ValidationDetail | undefined;
    const report: ValidationReport = {
      ...verdict,
      route: route.path,
      operation: route.id,
      request_id: context.get("requestId"),
      tenant: principal?.tenant || null,
      key_id: principal?.key_id || null,
      validations: [...checked.checks],
      duration_us: checked.duration_us,
      detail: () => (detail ??= detailFor(route, context)),
    };
    if (verdict.outcome === "refused") logRefused(ports.log, report);
    const keepAlive = keepAliveOf(context);
    if (verdict.outcome === "withheld") keepAlive(ports.validations.withheld(report));
    else ports.validations.note(report, keepAlive);
  };
}
