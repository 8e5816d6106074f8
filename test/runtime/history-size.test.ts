import { env } from "cloudflare:workers";
import { expect, it } from "vitest";

import measured from "../load/measured/history.json";
import { Executor, ended, eventually, submit } from "./batuta.ts";
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
