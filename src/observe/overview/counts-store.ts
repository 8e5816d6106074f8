import * as z from "zod";

import type { OpenCounts, Troubled } from "./counts.ts";

/* What is open at the moment, as D1 has it. Each count looks at a bounded number of rows, so that history may be long. */

/** Tasks of one status, and webhooks, that are counted at most. */
const MAX_COUNTED = 10_000;

/** Tasks that asked for help, of which some have ended: each costs a look at its row. */
const MAX_ESCALATED = 1_000;

/** Questions and debts: whoever asks wants to know whether they are many. */
const MAX_OPEN = 1_000;

/** Endpoints in trouble that are named. */
const MAX_TROUBLED = 10;

/** The condition `<> 'completed'` is written out: SQLite takes the partial index only where it can prove that it applies. */
const WAITING = (status: "pending" | "running") => `
  SELECT '${status}' AS name, count(*) AS count, 0 AS looked FROM (
    SELECT 1 FROM task WHERE tenant = ?1 AND status = '${status}' AND status <> 'completed'
    LIMIT ${MAX_COUNTED + 1})`;

const ESCALATED = `
  SELECT 'escalated' AS name, coalesce(sum(phase <> 'ended'), 0) AS count, count(*) AS looked FROM (
    SELECT phase FROM task WHERE tenant = ?1 AND status = 'escalated' AND status <> 'completed'
    ORDER BY created_at DESC, task_id DESC LIMIT ${MAX_ESCALATED})`;

const open = (table: "escalation" | "cleanup_debt") => `(
  SELECT count(*) FROM (SELECT 1 FROM ${table} WHERE tenant = ?1 AND state = 'open' LIMIT ${MAX_OPEN}))`;

/** Questions and debts in one part: D1 takes five. */
const OPEN = `SELECT 'open' AS name, ${open("escalation")} AS count, ${open("cleanup_debt")} AS looked`;

const WEBHOOKS = `
  SELECT 'webhook' AS name, count(*) AS count, coalesce(sum(level > 0), 0) AS looked FROM (
    SELECT level FROM webhook WHERE tenant = ?1 AND deleted_at IS NULL LIMIT ${MAX_COUNTED})`;

const countSchema = z.object({ name: z.string(), count: z.int(), looked: z.int() });

/**
 * Active tasks by status, webhooks, open questions and debts, in one statement: who watches asks every two seconds. Tasks
 * that are being finalised have a status that is settled, and are not among them.
 *
 * @throws when D1 fails
 */
export async function readOpenCounts(db: D1Database, tenant: string): Promise<OpenCounts> {
  const texts = [WAITING("pending"), WAITING("running"), ESCALATED, WEBHOOKS, OPEN];
  const { results } = await db.prepare(texts.join(" UNION ALL ")).bind(tenant).all();
  const rows = results.map((row) => countSchema.parse(row));
  const of = (name: string) => rows.find((row) => row.name === name) ?? { count: 0, looked: 0 };
  const counts = (["pending", "running", "escalated"] as const).map((status) => ({
    status,
    count: Math.min(of(status).count, MAX_COUNTED),
  }));
  const webhooks = of("webhook");
  return {
    tasks: counts.filter(({ count }) => count > 0),
    isComplete:
      of("pending").count <= MAX_COUNTED &&
      of("running").count <= MAX_COUNTED &&
      of("escalated").looked < MAX_ESCALATED,
    webhooks: { total: webhooks.count, troubled: webhooks.looked },
    escalations: of("open").count,
    debts: of("open").looked,
  };
}

/** The webhooks of a tenant whose history is in another database than they are. @throws when D1 fails */
export async function readEndpointCounts(
  db: D1Database,
  tenant: string,
): Promise<OpenCounts["webhooks"]> {
  const row = countSchema.parse(await db.prepare(WEBHOOKS).bind(tenant).first());
  return { total: row.count, troubled: row.looked };
}

const troubledSchema = z.object({ webhook_id: z.string(), level: z.int() });

/**
 * The ten endpoints in the worst trouble, the highest level first: where deliveries wait longest. Those at level 0 are not among
 * them, because what is due there goes out.
 *
 * @throws when D1 fails
 */
export async function readTroubled(db: D1Database, tenant: string): Promise<Troubled[]> {
  const { results } = await db
    .prepare(
      `SELECT webhook_id, level FROM webhook WHERE tenant = ?1 AND deleted_at IS NULL AND level > 0
       ORDER BY level DESC, webhook_id LIMIT ${MAX_TROUBLED}`,
    )
    .bind(tenant)
    .all();
  return results.map((row) => troubledSchema.parse(row));
}
