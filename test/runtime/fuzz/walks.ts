import fc from "fast-check";

import { ROUTES } from "../../../src/rest/app.ts";
import type { Route } from "../../../src/rest/route.ts";
import type { FuzzClient } from "./client.ts";
import { placeholder } from "./messages.ts";
import type { Drawn } from "./requests.ts";
import { STAGES } from "./world.ts";

/* Calls about one task in any order: what a confused executor, a hasty orchestrator and a thief do together. */

const BY_ID = new Map(ROUTES.map((route) => [route.id, route]));

const task_id = placeholder("task_id");
const agent_id = placeholder("agent_id");
const timestamp = placeholder("now");

const said = (notification_type: string, data: object) => ({
  id: "notify",
  body: { notification_type, task_id, agent_id, timestamp, data },
});

const numbers = fc.integer({ min: 0, max: 100 });

/** One call: the route and its message; a notification's id is added when it is sent. */
type Step = { id: string; body: Record<string, unknown> | null };

const executorSteps: fc.Arbitrary<Step> = fc.oneof(
  fc.constant(
    said("task_started", { task_type: "research", estimated_duration: 9, complexity: "low" }),
  ),
  numbers.map((progress_percentage) =>
    said("task_progress", { progress_percentage, current_step: "x" }),
  ),
  fc.constant(
    said("task_completed", {
      result: { answer: 42 },
      execution_summary: "done",
      metrics: { execution_time: 1, tokens_used: 1, cost: 0, quality_score: 0.9 },
      quality_assessment: { overall_score: 0.9 },
    }),
  ),
  fc.boolean().map((retry_recommended) =>
    said("task_failed", {
      error_type: "broken",
      error_message: "it broke",
      root_cause: { class: "tool", detail: "why", evidence: "log" },
      retry_recommended,
    }),
  ),
  fc.constant(
    said("task_escalated", {
      escalation_reason: "two ways",
      escalation_level: "human",
      question: "Which?",
      urgency: "low",
    }),
  ),
  fc.constantFrom("success", "cancelled", "failure").map((reason) => ({
    id: "end_task",
    body: { task_id, agent_id, reason, timestamp, quality_assessment: { overall_score: 0.9 } },
  })),
  numbers.map((tokens) => ({
    id: "beat_heart",
    body: { usage: { tokens }, checkpoint: { tokens } },
  })),
  fc.constant({ id: "decline_task", body: { reason: "no room" } }),
  fc.constant({ id: "claim_tasks", body: { max_tasks: 1 } }),
  numbers.map((value) => ({ id: "put_note", body: { value } })),
  fc.constant({
    id: "offer_subtasks",
    body: {
      subtasks: [
        {
          task_type: "research",
          description: "a part of the whole",
          requires: { capabilities: ["x"] },
        },
      ],
    },
  }),
);

const orchestratorSteps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .constantFrom("cancel", "pause", "resume", "retry", "escalate", "request_update", "acknowledge")
    .map((command) => ({ id: "command_task", body: { command } })),
  fc.constant({ id: "command_task", body: { command: "set_priority", priority: "high" } }),
  fc.constantFrom("resume", "change", "cancel").map((decision) => ({
    id: "resolve_escalation",
    body: { decision, answer: "so", ...(decision === "change" && { patch: { timeout: 900 } }) },
  })),
  fc
    .constantFrom("get_task", "explain_task", "get_task_report", "list_task_events", "get_subtasks")
    .map((id) => ({ id, body: null })),
  fc.constant({ id: "rebuild_task", body: {} }),
);

const steps = fc.record({
  step: fc.oneof(
    { weight: 3, arbitrary: executorSteps },
    { weight: 2, arbitrary: orchestratorSteps },
  ),
  token: fc.oneof(
    { weight: 8, arbitrary: fc.constant(placeholder("token")) },
    { weight: 1, arbitrary: fc.constantFrom("stale", "") },
  ),
  /** Of a notification: the same number again is a repetition. */
  number: fc.nat(5),
});

/** A walk on the task of one scene. */
export const walks = fc.record({
  scene: fc.nat(STAGES.length - 1),
  steps: fc.array(steps, { minLength: 5, maxLength: 15 }),
});
type Walk = typeof walks extends fc.Arbitrary<infer Value> ? Value : never;

function drawnOf(
  route: Route,
  { step, token, number }: Walk["steps"][number],
  scene: number,
): Drawn {
  const path = route.path.replaceAll(/:(\w+)/g, (_all, name: string) =>
    name === "key" ? "note" : placeholder(name),
  );
  const isNotification = route.id === "notify";
  const body = { ...step.body, ...(isNotification && { notification_id: `${task_id}-${number}` }) };
  return {
    scene,
    sender: "admin",
    method: route.method,
    path,
    query: [],
    headers: token === "" ? {} : { "Lease-Token": token },
    body: step.body === null ? null : JSON.stringify(body),
    transport: "plain",
    cut: 0,
  };
}

/**
 * Walks on a task of its own, each call judged on its own.
 *
 * @returns the seqs of the task's log afterwards
 */
export async function walk(client: FuzzClient, { scene, steps: taken }: Walk): Promise<number[]> {
  const place = await client.world.scene(scene);
  for (const step of taken) {
    const route = BY_ID.get(step.step.id);
    if (route === undefined) throw new Error(`There is no route ${step.step.id}.`);
    // One after the other: the order is what is tried out.
    // oxlint-disable-next-line no-await-in-loop
    await client.send(route, drawnOf(route, step, scene), place);
  }
  place.use("task", true);
  return place.seqs();
}
