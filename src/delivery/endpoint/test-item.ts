import { instant } from "../../lib/ports.ts";
import type { EnqueueItem } from "../endpoint-config.ts";

/** What the id of a test begins with. */
export const TEST_PREFIX = "test";

/**
 * The notification of a test call: a system_alert of severity info that belongs to no task.
 *
 * @param id letters and digits, new for each test
 * @param now epoch milliseconds
 */
export function testItem(id: string, now: number): EnqueueItem {
  const alert_id = `${TEST_PREFIX}${id}`;
  return {
    task_id: null,
    seq: null,
    event_id: alert_id,
    type: "system_alert",
    priority: "normal",
    at: instant(now),
    correlation_id: "",
    notification: JSON.stringify({
      alert_id,
      severity: "info",
      title: "Test of a webhook endpoint",
      detail: "Sent because somebody asked for a test. Nothing is wrong.",
      evidence: {},
    }),
  };
}
