import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { backupManifestSchema } from "../../src/protocol/backup.ts";
import { judgeAlerts } from "../../src/services-alerts.ts";
import { sweepBackups } from "../../src/services-backup.ts";
import { sweepDebts } from "../../src/services-debts.ts";
import { faceOf } from "../../src/services-face.ts";
import { sweepTasks } from "../../src/services-observe.ts";
import { sweepHistory, sweepRemoved, sweepRollups } from "../../src/services-sweep.ts";
import { eventually } from "./batuta.ts";
import { owe, readDebt } from "./debtor.ts";
import { DAY_MS } from "./past-tasks.ts";
import {
  askIn,
  both,
  FAR,
  far,
  live,
  NEAR,
  near,
  rowsOf,
  second,
  TENANTS,
} from "./two-databases.ts";

beforeAll(async () => {
  await Promise.all([live(near, "of-near", env.DB), live(far, "of-far", second)]);
});

describe("the sweeps of a history in two databases", () => {
  it("wake, settle and fold what is due in either", async () => {
    const woken: string[] = [];
    for (const [tenant, own, db] of TENANTS) {
      await owe(own, tenant, "owing", [{}]);
      await own("POST", "/v1/tasks", {
        task_id: "asleep",
        task_type: "research",
        description: "a task that sleeps too long",
        requires: { capabilities: ["nobody-has-this"] },
      });
      const late = db
        .prepare(
          `UPDATE task SET view = json_set(view, '$.deadline_at', '2026-01-01T00:00:00.000Z')
           WHERE tenant = ? AND task_id = 'asleep'`,
        )
        .bind(tenant);
      await eventually(
        async () => (await late.run()).meta.changes,
        (changes) => changes > 0,
      );
      await db
        .prepare("UPDATE cleanup_debt SET due_at = '2026-01-01T00:00:00.000Z' WHERE tenant = ?")
        .bind(tenant)
        .run();
    }

    await sweepTasks(env, (what, tenant) => void woken.push(`${what} ${tenant}`));
    await sweepDebts(env);
    await sweepRollups(env, () => Date.now() + DAY_MS);

    expect(new Set(woken)).toEqual(new Set([`task_woken ${NEAR}`, `task_woken ${FAR}`]));
    for (const [, own] of TENANTS) {
      expect(await readDebt(own, "debt_1_owing")).toMatchObject({ state: "expired" });
    }
    const [nearHours] = await rowsOf(NEAR, "task_rollup", "step = 3600");
    expect(nearHours).toBeGreaterThan(0);
    expect(await rowsOf(FAR, "task_rollup", "step = 3600")).toEqual([0, nearHours]);
  });

  it("judge alerts by the figures of either", async () => {
    const rule = {
      title: "Many tasks fail",
      metric: "task_failure_rate",
      comparison: "above",
      threshold: 0.3,
      clear_threshold: 0.2,
      window_s: 900,
      for_s: 0,
      resolve_after_s: 0,
      severity: "error",
    };
    const bucket = Math.floor(Date.now() / 60_000) * 60 - 60;
    for (const [tenant, own, db] of TENANTS) {
      await own("PUT", "/v1/alert-rules/tasks-failing", rule);
      await db
        .prepare(
          `INSERT INTO task_rollup (tenant, step, bucket, task_type, agent_id, completed, failed)
           VALUES (?, 60, ?, 'research', 'agent-1', 50, 50)`,
        )
        .bind(tenant, bucket)
        .run();
    }

    await judgeAlerts(env);

    const found = await both<{ items: { rule_id: string }[] }>("/v1/alerts");
    for (const { items } of found) {
      expect(items.map(({ rule_id }) => rule_id)).toContain("tasks-failing");
    }
  });

  it("show all tenants together, and keep a backup of each database by its name", async () => {
    const shown = await faceOf(env).request("https://batuta.test/metrics?all=1", {
      headers: { authorization: `Bearer ${env.BATUTA_ADMIN_KEY}` },
    });
    const text = await shown.text();
    const ended = text.split("\n").filter((line) => line.startsWith("batuta_tasks_total{"));
    for (const tenant of [NEAR, FAR]) expect(ended.join("\n")).toContain(`tenant="${tenant}"`);

    const kept = { ...env, ARCHIVE: env.TEST_ARCHIVE };
    let file: R2ObjectBody | null = null;
    for (let turn = 0; file === null && turn < 20; turn += 1) {
      await sweepBackups(kept);
      const { objects } = await env.TEST_ARCHIVE.list({ prefix: "backups/" });
      const found = objects.find(({ key }) => key.endsWith("/manifest.json"));
      if (found !== undefined) file = await env.TEST_ARCHIVE.get(found.key);
    }
    const manifest = backupManifestSchema.parse(await file?.json());
    const tasks = manifest.databases.map(({ binding, tables }) => [
      binding,
      (tables.find(({ name }) => name === "task")?.rows ?? 0) > 0,
    ]);
    expect(tasks).toEqual([
      ["DB", true],
      ["DB_1", true],
    ]);
  });

  it("archive what has been kept for long enough, and it is read from there", async () => {
    const kept = { ...env, ARCHIVE: env.TEST_ARCHIVE };

    await sweepHistory(kept, () => Date.now() + 366 * DAY_MS);

    expect(await rowsOf(NEAR, "removed_task", "task_id = 'of-near'")).toEqual([1, 0]);
    expect(await rowsOf(FAR, "removed_task", "task_id = 'of-far'")).toEqual([0, 1]);
    for (const [tenant, task_id] of [
      [NEAR, "of-near"],
      [FAR, "of-far"],
    ] as const) {
      const { status } = await askIn(kept, tenant, `/v1/tasks/${task_id}/report`);
      expect([tenant, status]).toEqual([tenant, 200]);
    }
  });

  it("forget in either what was removed for long enough, and leave the archive as it is", async () => {
    const kept = { ...env, ARCHIVE: env.TEST_ARCHIVE, REMOVED_RETENTION_DAYS: "7" };
    const files = async () =>
      (await env.TEST_ARCHIVE.list({ prefix: "tasks/" })).objects.map(({ key }) => key);
    const before = await files();

    await sweepRemoved(kept, () => Date.now() + (366 + 22) * DAY_MS);

    expect(await rowsOf(NEAR, "removed_task")).toEqual([0, 0]);
    expect(await rowsOf(FAR, "removed_task")).toEqual([0, 0]);
    expect([before.length > 0, await files()]).toEqual([true, before]);
  });
});
