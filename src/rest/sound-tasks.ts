import * as z from "zod";

import type { Principal } from "../protocol/access.ts";
import { claimAnswerSchema } from "../protocol/agent.ts";
import type { Lease } from "../protocol/agent.ts";
import { placesOf } from "../protocol/declared-names.ts";
import { taskIdSchema } from "../protocol/primitives.ts";
import type { RestPorts } from "./ports.ts";
import { outflowOf } from "./withheld.ts";

/** A task as a claim brings it. */
export interface Claimed {
  task: unknown;
  lease: Lease;
  /** Names its attempt as a span. */
  traceparent?: string;
}

/** Whose claim it was, and by which operation. */
interface Claim {
  kind: "channel" | "claim";
  operation: string;
  requestId: string;
  by: Principal;
}

const identifiedSchema = z.object({ task_id: taskIdSchema });

/** Has tasks declined that their executor does not hear of; a lease that can't be given back lapses by itself. */
export async function giveTasksBack(
  ports: Pick<RestPorts, "tasks">,
  by: Principal,
  { tasks, reason }: { tasks: readonly Claimed[]; reason: string },
): Promise<void> {
  await Promise.allSettled(
    tasks.map(async ({ task, lease }) => {
      const { task_id } = identifiedSchema.parse(task);
      return ports.tasks.decline(by, task_id, lease.token, reason);
    }),
  );
}

/**
 * The tasks that keep the schema of what executors receive. One that breaks it is told of and given back, so that it
 * keeps none of the others from leaving.
 */
export async function soundOf(
  ports: Pick<RestPorts, "tasks" | "validations" | "log">,
  claim: Claim,
  tasks: readonly Claimed[],
): Promise<Claimed[]> {
  const judged = tasks.map((one) => ({
    one,
    parsed: claimAnswerSchema.safeParse({ tasks: [one] }),
  }));
  const broken = judged.filter(({ parsed }) => !parsed.success);
  if (broken.length === 0) return [...tasks];
  const { tellWithheld } = outflowOf(ports, claim);
  const reason = "withheld: the task as it was to be sent broke its schema";
  await Promise.all([
    giveTasksBack(ports, claim.by, { tasks: broken.map(({ one }) => one), reason }),
    ...broken.flatMap(({ parsed }) =>
      parsed.success ? [] : [tellWithheld(placesOf(claimAnswerSchema, parsed.error))],
    ),
  ]);
  return judged.filter(({ parsed }) => parsed.success).map(({ one }) => one);
}
