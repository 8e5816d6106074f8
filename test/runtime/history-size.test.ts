import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import { sweepHistory } from "../../src/services-sweep.ts";
import measured from "../load/measured/history.json";
import { Executor, ended, eventually, submit } from "./batuta.ts";
import { LATER, past, remember, WITH } from "./past-tasks.ts";
import { copyTask } from "./row-copies.ts";

const COPIES = 2_000;

const sizeOf = async () => (await env.DB.prepare("SELECT 1").run()).meta.size_after;

it("a plain task takes as many bytes of history as the paper on scale counts with", async () => {
  const executor = await new Executor("size-1").register();
  const { task_id } = await submit({ requires: { capabilities: ["size-1"] } });
  await executor.claim();
  await executor.start();
  for (const percentage of [20, 50, 80]) await executor.progress(percentage);
  await executor.complete();
  await executor.end();
  await ended(task_id);
  await eventually(
    () => env.DB.prepare("SELECT phase FROM task WHERE task_id = ?").bind(task_id).first("phase"),
    (phase) => phase === "ended",
  );
  const before = await sizeOf();

  await copyTask(task_id, COPIES);

  const bytes = ((await sizeOf()) - before) / COPIES;
  expect(Math.abs(bytes / measured.bytesPerTask - 1)).toBeLessThan(0.1);
});

it("what stays of a removed task, archived, takes as many bytes as it counts with", async () => {
  await remember("plain", { ...past(), view: { ...past().view, agent_id: "size-1" } });
  await env.DB.prepare("UPDATE task SET body_hash = ? WHERE tenant = 'plain'")
    .bind("0".repeat(64))
    .run();
  await sweepHistory(WITH, LATER);
  const before = await sizeOf();

  await env.DB.prepare(
    `WITH RECURSIVE numbered(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbered WHERE n < ?)
     INSERT INTO removed_task (tenant, task_id, ended_at, removed_at, agent_id, body_hash, outcome,
       archive_key, archive_offset, archive_length)
     SELECT tenant, 'task_' || hex(randomblob(11)), ended_at, removed_at, agent_id, body_hash, outcome,
       archive_key, archive_offset, archive_length FROM removed_task CROSS JOIN numbered
     WHERE tenant = 'plain'`,
  )
    .bind(COPIES)
    .run();

  const bytes = ((await sizeOf()) - before) / COPIES;
  expect(Math.abs(bytes / measured.bytesPerRemoved - 1)).toBeLessThan(0.1);
});
