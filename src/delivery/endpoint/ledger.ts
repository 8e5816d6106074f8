import type { Log } from "../../lib/log.ts";
import { instant, type Clock, type Random } from "../../lib/ports.ts";
import { rulesOf, type BreakerState } from "../breaker-state.ts";
import { afterResult, disabled, type BreakerStep, type LevelChange } from "../breaker.ts";
import { deliveryId } from "../delivery-id.ts";
import type { DeliveryMeter, LevelReport } from "../level-report.ts";
import type { EndpointStores } from "./courier.ts";
import { createdAt, type DeliveryRow } from "./delivery-row.ts";
import type { EndpointFacts } from "./endpoint-store.ts";
import { releaseAtOf } from "./gate.ts";
import type { HeldBatch } from "./held-batches.ts";
import { outcomeOf, settle, type SendReport } from "./settle.ts";
import type { Turn } from "./turn.ts";

/** Probes come a quarter of an hour apart at the most (facts/webhooks.md §6.6). */
const LONGEST_PROBE_WAIT_MS = 900_000;

/** What came of a turn. */
export type Outcome = SendReport;

/** How the deliveries of a turn stand after it. */
export interface Booking {
  rows: readonly DeliveryRow[];
  /** What a batch keeps that is sent again; null when it is over, and for a delivery alone. */
  held: HeldBatch | null;
}

/** What booking needs. */
interface LedgerPorts {
  now: Clock;
  random: Random;
  log: Log;
  meter: DeliveryMeter;
  /** There is a changed level to be told of. */
  onLevelChange: () => void;
}

/** Stores what became of each request: its attempts, the breaker, a pause, the end of an endpoint. */
export class Ledger {
  readonly #stores: EndpointStores;
  readonly #ports: LedgerPorts;

  constructor(stores: EndpointStores, ports: LedgerPorts) {
    this.#stores = stores;
    this.#ports = ports;
  }

  /** Books one request. The caller makes it one commit with others. */
  book(turn: Turn, report: Outcome): Booking {
    const { endpoint, deliveries } = this.#stores;
    const facts = endpoint.facts();
    if (facts === null) return { rows: [], held: null };
    // One draw for all members: they are sent again together.
    const draw = this.#ports.random();
    const settled = turn.rows.flatMap(({ source, seq }) => {
      const stored = deliveries.read({ source, seq });
      if (stored === null) return [];
      const settlement = settle(stored, report, facts.config, draw);
      this.#count(stored, settlement.row, report, facts);
      return [settlement];
    });
    const rows = settled.map(({ row }) => ({ ...row, batch_id: turn.batch?.batch_id ?? null }));
    for (const row of rows) {
      deliveries.saveAttempt(row);
      this.#log(row, report, facts);
    }
    this.#judge(report, facts);
    const pauseUntil = settled[0]?.pauseUntil ?? null;
    if (pauseUntil !== null && pauseUntil > facts.pausedUntil) {
      endpoint.change({ pausedUntil: pauseUntil });
    }
    return { rows, held: this.#heldBatch(turn, rows, facts) };
  }

  #heldBatch(turn: Turn, rows: readonly DeliveryRow[], facts: EndpointFacts): HeldBatch | null {
    if (turn.batch === null) {
      // Booked: a failure gives it an instant of its own, and it goes alone by that.
      if (turn.stored !== null) this.#stores.batches.close(turn.stored.batch_id);
      return null;
    }
    const { batch_id, at } = turn.batch;
    const open = rows.find((row) => row.state === "open");
    if (open === undefined) {
      this.#stores.batches.close(batch_id);
      return null;
    }
    const releaseAt = releaseAtOf(facts.config.lane_policy, open.first_failed_at);
    const due = open.due ?? this.#ports.now();
    return { batch_id, at, due, releaseAt, isReleased: false };
  }

  /** What the result says of the endpoint's health. */
  #judge(report: Outcome, facts: EndpointFacts): void {
    const { endpoint } = this.#stores;
    const outcome = outcomeOf(report, facts.config);
    if (outcome.verdict === "gone") return this.#disable(facts, "gone");
    // A refusal of this one message is the receiver at work.
    if (outcome.verdict === "final" || facts.config.state !== "active") return;
    const step = afterResult(
      facts.breaker,
      {
        isSuccess: outcome.verdict === "delivered",
        isOverload: report.status_code === 429,
        isProbe: report.isProbe,
        isManual: report.isManual,
        durationMs: Math.max(0, report.ended_at - report.started_at),
      },
      rulesOf(facts.config.breaker),
      { now: report.ended_at, random: this.#ports.random() },
    );
    if (step.change?.to === 4) return this.#disable(facts, step);
    if (step.change === null) endpoint.remember(step.state);
    else this.#changeLevel(facts, step.state, step.change);
  }

  #disable(facts: EndpointFacts, cause: "gone" | BreakerStep): void {
    const { config, breaker } = facts;
    if (config.state === "deleted") return;
    // Nobody can resume a callback, and the next task that names it asks for it anew: it is probed on.
    if (config.webhook_id.startsWith("cb_")) return this.#goOn(facts);
    const step = cause === "gone" ? disabled(breaker, this.#ports.now(), cause) : cause;
    const known = { ...facts, config: { ...config, state: "disabled" as const } };
    if (step.change !== null) this.#changeLevel(known, step.state, step.change);
  }

  #goOn({ breaker }: EndpointFacts): void {
    const at = this.#ports.now() + LONGEST_PROBE_WAIT_MS;
    const probe = breaker.probe === null ? null : { ...breaker.probe, at };
    this.#stores.endpoint.remember({ ...breaker, probe });
  }

  #changeLevel(facts: EndpointFacts, breaker: BreakerState, change: LevelChange): void {
    const { webhook_id } = facts.config;
    const report = reportOf(facts, change, this.#ports.now());
    this.#stores.endpoint.change({
      config: facts.config,
      breaker,
      reports: [...facts.reports, report],
    });
    this.#ports.onLevelChange();
    const severity = change.to > change.from ? "warning" : "info";
    this.#ports.log(severity, "endpoint_level_changed", {
      webhook_id,
      from: change.from,
      to: change.to,
      why: change.why,
    });
  }

  #count(
    before: DeliveryRow,
    after: DeliveryRow,
    report: Outcome,
    { config }: EndpointFacts,
  ): void {
    const { meter } = this.#ports;
    const { tenant } = config;
    meter.attempted(tenant, outcomeOf(report, config).verdict === "delivered");
    if (after.state === "open" || after.state === before.state) return;
    meter.ended(tenant, after.state);
    // What an operator sends again later says nothing of how fast it is delivered.
    const isTimed = after.state === "delivered" && !report.isManual;
    if (isTimed) meter.arrived(tenant, (after.delivered_at ?? report.ended_at) - createdAt(after));
  }

  #log(row: DeliveryRow, report: Outcome, { config }: EndpointFacts): void {
    const { webhook_id } = config;
    const isFine = row.state === "delivered";
    this.#ports.log(isFine ? "info" : "warning", "delivery_attempted", {
      webhook_id,
      delivery_id: deliveryId({ webhook_id, source: row.source, seq: row.seq }),
      correlation_id: row.correlation_id,
      attempt: row.attempts,
      status_code: report.status_code,
      fault: report.fault,
      duration_ms: report.ended_at - report.started_at,
      state: row.state,
    });
  }
}

/** What others are told of a change of level. `now` is epoch milliseconds. */
export function reportOf(
  { config, reports }: Pick<EndpointFacts, "config" | "reports">,
  change: LevelChange,
  now: number,
): LevelReport {
  const name = config.webhook_id.replace("_", "");
  return {
    report_id: `lvl_${name}_${config.shard}_${now}_${reports.length}_${change.from}${change.to}`,
    at: instant(now),
    ...change,
    version: config.version,
  };
}
