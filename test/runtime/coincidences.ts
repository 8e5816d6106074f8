import { runInDurableObject } from "cloudflare:test";
import { z } from "zod";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { START, type TestEndpoint } from "./endpoints.ts";
import { bodyText } from "./receiver.ts";

/* What the tests of coincidences at an endpoint share. */

const dataSchema = z.object({ task_id: z.string(), seq: z.int() });
const bodySchema = z.object({
  data: z.union([z.object({ items: z.array(z.object({ data: dataSchema })) }), dataSchema]),
});

export const DOWN = { status: 500 };
export const UP = { status: 200 };
export const DAY = 86_400_000;
export const idOf = (e: TestEndpoint, task: string, seq: number) =>
  `dlv_${e.config.webhook_id.replace("_", "")}_${seq}_${task}`;
export const alarmOf = (e: TestEndpoint) =>
  runInDurableObject(e.stub, (_i, s) => s.storage.getAlarm());
const membersOf = (body: string): string[] => {
  const parsed = bodySchema.parse(JSON.parse(body));
  const items = "items" in parsed.data ? parsed.data.items : [{ data: parsed.data }];
  return items.map((each) => `${each.data.task_id}:${each.data.seq}`);
};
export const requestsOf = async (e: TestEndpoint) =>
  (await e.receiver.log()).map((request) => membersOf(bodyText(request)));
export const startsOf = async (e: TestEndpoint, task: string, seq: number) =>
  ((await e.delivery(task, seq)).attempts ?? []).map((a) => Date.parse(a.started_at) - START);
/** START plus what really passes, real waits: for requests that overlap. */
export const runClock = (e: TestEndpoint) =>
  runInDurableObject(e.stub, (instance: EndpointObject) => {
    const t0 = Date.now();
    instance.now = () => START + Date.now() - t0;
    instance.wait = (ms) => scheduler.wait(ms);
  });
/** `count` rows of as many tasks whose ids sort against nothing. */
export const fill = (e: TestEndpoint, count: number, state: string) =>
  runInDurableObject(e.stub, (_i, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
       INSERT INTO delivery (source, seq, position, type, priority, state, attempts, tries, is_recovering, bytes, correlation_id, body)
       SELECT printf('b%d-%d', (i * 7919) % 1000003, i), 1, ${START * 1_000} + i, 'task_progress', 1, '${state}', 0, 0, 0, 10, '', '{}' FROM n`,
    );
  });
export const TWO = { max_items: 2, max_wait_ms: 0 };
