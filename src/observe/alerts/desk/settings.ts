import { instant, type Clock } from "../../../lib/ports.ts";
import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { Principal } from "../../../protocol/access.ts";
import type {
  AlertRule,
  AlertRuleRequest,
  Silence,
  SilenceRequest,
} from "../../../protocol/alerts.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import { objectivesInForce, type Objective } from "../objectives/default-objectives.ts";
import { defaultRules, rulesInForce } from "../rules/default-rules.ts";
import type { SettingStore } from "./setting-port.ts";

/* Rules and silences, as whoever looks after a tenant sets them. */

/** Own rules, and silences in force, of one tenant: all are looked at each minute. */
const MOST = { rules: 100, silences: 100 } as const;

/** Silences that are over are kept for so long. Milliseconds. */
const FORGET_AFTER_MS = 30 * 86_400_000;

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What setting rules and silences needs. */
export interface SettingParts {
  now: Clock;
  newId: () => string;
  store: Pick<
    SettingStore,
    "rules" | "putRule" | "removeRule" | "objectives" | "silences" | "addSilence" | "removeSilence"
  >;
}

function tooMany(most: number, what: string): Refusal {
  return {
    code: "alerting_refused",
    detail: `The tenant has ${most} ${what}, which is the most; DELETE one of them first.`,
  };
}

function noRule(rule_id: string, isDefault: boolean): Refusal {
  const detail = isDefault
    ? `the rule ${rule_id} comes with Batuta; switch it off by a PUT with is_enabled false`
    : `there is no alert rule ${rule_id}; GET /v1/alert-rules lists them`;
  return { code: "alert_rule_not_found", detail };
}

function unknownObjective(rule: AlertRuleRequest, known: readonly Objective[]): Refusal | null {
  const { slo_id } = rule;
  if (slo_id === undefined || known.some((one) => one.slo_id === slo_id)) return null;
  const ids = known.map((one) => one.slo_id).join(", ");
  const detail = `there is no objective ${slo_id}; there are: ${ids}`;
  return {
    code: "validation_failed",
    detail: `slo_id: ${detail}`,
    errors: [{ pointer: "/slo_id", code: "custom", detail }],
  };
}

function silenceUses(
  { now, newId, store }: SettingParts,
  rule: (tenant: string, rule_id: string) => Answer<AlertRule>,
) {
  return {
    /** Those in force. */
    silences: (tenant: string): Promise<Silence[]> => store.silences(tenant, instant(now())),
    /** Refused: alert_rule_not_found, alerting_refused. */
    async silence(by: Principal, request: SilenceRequest): Answer<Silence> {
      const { rule_id = null, max_severity, duration_s, reason } = request;
      const known = rule_id === null ? ok(null) : await rule(by.tenant, rule_id);
      if (!known.ok) return known;
      const at = now();
      const inForce = await store.silences(by.tenant, instant(at));
      if (inForce.length >= MOST.silences) return refuse(tooMany(MOST.silences, "silences"));
      const silence: Silence = {
        silence_id: `si_${newId()}`,
        rule_id,
        max_severity,
        reason,
        created_at: instant(at),
        created_by: by.key_id,
        ends_at: instant(at + duration_s * 1_000),
      };
      await store.addSilence(by.tenant, silence, instant(at - FORGET_AFTER_MS));
      return ok(silence);
    },
    /** Refused: silence_not_found. */
    async endSilence(tenant: string, silence_id: string): Answer<null> {
      if (await store.removeSilence(tenant, silence_id)) return ok(null);
      const detail = `there is no silence ${silence_id}; GET /v1/silences lists those in force`;
      return refuse({ code: "silence_not_found", detail });
    },
  };
}

/** Use cases of rules and silences. */
export function createSettings({ now, newId, store }: SettingParts) {
  const objectives = async (tenant: string) => objectivesInForce(await store.objectives(tenant));
  const rules = async (tenant: string): Promise<AlertRule[]> =>
    rulesInForce(await store.rules(tenant), await objectives(tenant));
  const rule = async (tenant: string, rule_id: string): Answer<AlertRule> => {
    const found = (await rules(tenant)).find((one) => one.rule_id === rule_id);
    return found === undefined ? refuse(noRule(rule_id, false)) : ok(found);
  };
  return {
    rules,
    rule,
    /** Refused: validation_failed for an objective that there is not, alerting_refused for one rule too many. */
    async putRule(tenant: string, rule_id: string, request: AlertRuleRequest): Answer<AlertRule> {
      const fault = unknownObjective(request, await objectives(tenant));
      if (fault !== null) return refuse(fault);
      const own = await store.rules(tenant);
      const isNew = !own.some((one) => one.rule_id === rule_id);
      if (isNew && own.length >= MOST.rules) return refuse(tooMany(MOST.rules, "rules"));
      await store.putRule(tenant, rule_id, request, instant(now()));
      return rule(tenant, rule_id);
    },
    /** A default rule of the id is in force again. Refused: alert_rule_not_found. */
    async removeRule(tenant: string, rule_id: string): Answer<null> {
      if (await store.removeRule(tenant, rule_id)) return ok(null);
      const given = defaultRules(await objectives(tenant));
      return refuse(
        noRule(
          rule_id,
          given.some((one) => one.rule_id === rule_id),
        ),
      );
    },
    ...silenceUses({ now, newId, store }, rule),
  };
}
