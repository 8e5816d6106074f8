import { instant } from "../../lib/ports.ts";
import type { Job } from "../attempt.ts";
import { batchBody } from "../batching.ts";
import { deliveryId, messageId } from "../delivery-id.ts";
import type { EndpointConfig } from "../endpoint-config.ts";
import type { Unit } from "./agenda.ts";
import type { BatchStore, StoredBatch } from "./batch-store.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import type { Outgoing } from "./delivery-store.ts";
import { CRITICAL } from "./lane.ts";
import type { SendReport } from "./settle.ts";

/** A unit whose turn it is, made ready to leave. */
export interface Turn {
  unit: Unit;
  /** Its deliveries as they were stored when it left, in order. */
  rows: readonly DeliveryRow[];
  /** The batch that carries them; null when one goes alone. */
  batch: StoredBatch | null;
  /** What was stored before it left, until it is booked: its batch, or that it left alone. */
  stored: StoredBatch | null;
  job: Job;
  /** Who asked for it, and at what level. */
  asked: Pick<SendReport, "isManual" | "isProbe" | "level">;
}

/** What a turn is made of. `now` is epoch milliseconds. */
interface Departure {
  unit: Unit;
  outgoing: readonly Outgoing[];
  config: EndpointConfig;
  level: number;
  now: number;
}

/**
 * Makes a unit ready to leave. A new batch is stored first, and so is what goes alone where others go in batches: neither
 * ever goes again under another id.
 */
export function turnOf(departure: Departure, batches: Pick<BatchStore, "insert">): Turn {
  const { unit, outgoing, config, level, now } = departure;
  const rows = outgoing.map(({ row }) => row);
  const bodies = outgoing.map(({ body }) => body);
  const batch = unit.isBatch ? batchOf(departure, rows) : null;
  const [first] = rows;
  if (first === undefined) throw new Error("A turn without a delivery");
  const { webhook_id } = config;
  const attempt = first.attempts + 1;
  const key = { webhook_id, source: first.source, seq: first.seq };
  const stored = batch ?? (mayJoinBatch(departure, first) ? aloneOf(key, now) : null);
  if (stored !== null && unit.held === null) batches.insert(stored);
  return {
    unit,
    rows,
    batch,
    stored,
    asked: { isManual: unit.isManual, isProbe: unit.isProbe, level },
    job: {
      message_id: batch?.batch_id ?? messageId(key),
      delivery_id: deliveryId(key),
      body: batch === null ? (bodies[0] ?? "") : batchBody(batch.at, bodies),
      facts: {
        ...(batch === null
          ? factsAlone(first)
          : { task_id: null, type: "batch" as const, batch_size: rows.length }),
        attempt,
        correlation_id: first.correlation_id,
      },
      config,
      started_at: now,
    },
  };
}

/** What the headers say of one that goes alone. */
function factsAlone({ seq, source, type }: DeliveryRow) {
  return { task_id: seq > 0 ? source : null, type, batch_size: null };
}

type Key = Parameters<typeof messageId>[0];

/** Whether one that goes alone might go in a batch next time, if nobody knew that it has left. */
function mayJoinBatch({ unit, config }: Departure, row: DeliveryRow): boolean {
  const isFresh = row.due === null && row.attempts === 0;
  return config.batching !== null && !unit.isManual && isFresh && row.priority < CRITICAL;
}

/** What is stored of one that goes alone: a batch of its own, under the id that it has alone. */
function aloneOf({ source, seq, ...of }: Key, now: number): StoredBatch {
  const batch_id = messageId({ source, seq, ...of });
  return { batch_id, at: instant(now), members: [{ source, seq }] };
}

/** Whether what was stored is one that left alone. */
export function isAlone({ batch_id, members }: StoredBatch, webhook_id: string): boolean {
  const [first] = members;
  return first !== undefined && batch_id === messageId({ webhook_id, ...first });
}

/** The batch of a unit: as it was, or one whose id its first member and its instant make unique. */
function batchOf({ unit, config, now }: Departure, rows: readonly DeliveryRow[]): StoredBatch {
  const members = rows.map(({ source, seq }) => ({ source, seq }));
  if (unit.held !== null) return { batch_id: unit.held.batch_id, at: unit.held.at, members };
  const name = config.webhook_id.replace("_", "");
  const position = rows[0]?.position ?? 0;
  return {
    batch_id: `msg_${name}_batch_${position}_${now}_${config.shard}`,
    at: instant(now),
    members,
  };
}
