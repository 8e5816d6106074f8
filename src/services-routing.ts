import { judge, writeOutcome } from "./executor/router/outcome-store.ts";
import type { RouterDoor } from "./executor/router/router-port.ts";
import { createRouter } from "./executor/router/router.ts";
import {
  listDecisions,
  readDecision,
  readModelStats,
} from "./executor/router/routing-reads-store.ts";
import {
  changeBreaker,
  readLearned,
  readUncounted,
  removeOldDecisions,
  writeDecision,
} from "./executor/router/routing-store.ts";
import { TUNING } from "./executor/router/rules/tuning.ts";
import { createVerdicts } from "./executor/router/verdicts.ts";
import { consoleLog } from "./lib/log.ts";
import { instant } from "./lib/ports.ts";
import { ok } from "./lib/result.ts";
import type { ModelDecisionPort } from "./rest/model-decision-port.ts";
import { doorsOf, now } from "./services-doors.ts";

/* What the choice of models is built of. */

const DAY_MS = 86_400_000;

/** Statements of one sweep, a thousand rows each; what is left is for the next. */
const MOST_DELETIONS = 20;

/** Selection, as the built-in executor calls it. */
export function routerDoorOf(env: Env): RouterDoor {
  const { guard } = doorsOf(env);
  return createRouter({
    now,
    log: consoleLog("router", now),
    read: (key, at) => guard.get(() => readLearned(env.DB, key, at)),
    write: (row) => writeDecision(env.DB, row),
    changeBreaker: (of, rule) => changeBreaker(env.DB, of, rule),
    uncounted: (tenant, decision_id) => readUncounted(env.DB, tenant, decision_id),
    writeOutcome: (tenant, told) => writeOutcome(env.DB, tenant, told),
  });
}

/** Choices as others see and judge them. */
export function modelDecisionPort(env: Env): ModelDecisionPort {
  const { guard } = doorsOf(env);
  const { gamma } = TUNING;
  return createVerdicts({
    now,
    log: consoleLog("router", now),
    list: (tenant, query) => guard.read(() => listDecisions(env.DB, tenant, query)),
    get: (tenant, decision_id) => guard.get(() => readDecision(env.DB, tenant, decision_id)),
    stats: (tenant, query) =>
      guard.read(async () => ok(await readModelStats(env.DB, tenant, { query, gamma }))),
    judge: (judgement) => judge(env.DB, judgement, gamma),
  });
}

/** Forgets choices that are as old as the tasks that history forgets; what was learned from them stays. */
export async function sweepDecisions(env: Env): Promise<void> {
  const kept_ms = doorsOf(env).config.taskRetention.historyDays * DAY_MS;
  const before = instant(now() - kept_ms);
  for (let turn = 0; turn < MOST_DELETIONS; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop
    if ((await removeOldDecisions(env.DB, before)) === 0) return;
  }
}
