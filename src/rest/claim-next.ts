import { ok } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import { SCHEMA_VERSION } from "../protocol/primitives.ts";
import type { ClaimNextQuery } from "../protocol/queries.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { RestPorts } from "./ports.ts";
import type { Reply } from "./route.ts";
import { soundOf } from "./sound-tasks.ts";

/** Whose message it is, of which task, and what it asks for. */
interface Asking {
  by: Principal;
  agent_id: string;
  task_id: string;
  query: ClaimNextQuery;
  requestId: string;
}

type Ports = Pick<RestPorts, "agents" | "tasks" | "validations" | "log">;

type Received = Result<{ receipt: object; isNew: boolean; ended_attempt: number | null }, Refusal>;

/**
 * Passes an executor's message on and, when that ends its attempt and asks for it, claims the next tasks into the
 * same answer, so that an executor with one slot needs no further call.
 *
 * Whether it may claim is asked first: a message that is refused has changed nothing and claims nothing. A repeated
 * one claims nothing either. A claim that breaks off loses nothing: the receipt goes out with an empty list.
 */
export async function answerAndClaim(
  ports: Ports,
  asking: Asking,
  send: () => Promise<Received>,
): Promise<Result<Reply, Refusal>> {
  const { by, agent_id, task_id, query } = asking;
  const wants = query.claim_next !== undefined;
  const allowed = wants ? await ports.agents.mayClaim(by, agent_id) : ok(null);
  if (!allowed.ok) return allowed;
  const sent = await send();
  if (!sent.ok) return sent;
  const { receipt, isNew, ended_attempt: attempt } = sent.value;
  const status = isNew ? 202 : 200;
  if (!wants || attempt === null) return ok({ status, body: receipt });
  const next = await claimNext(ports, asking, { task_id, attempt });
  return ok({ status, body: { ...receipt, next } });
}

async function claimNext(
  ports: Ports,
  { by, agent_id, task_id, query, requestId }: Asking,
  releasing: { task_id: string; attempt: number },
): Promise<{ tasks: unknown[] }> {
  const { agents, log } = ports;
  const request = {
    schema_version: SCHEMA_VERSION,
    max_tasks: query.claim_next ?? 1,
    wait_seconds: query.wait_seconds ?? 0,
  };
  try {
    const claimed = await agents.claim(by, agent_id, request, { releasing });
    if (claimed.ok) {
      const claim = { kind: "claim", operation: "claim_next", requestId, by } as const;
      return { tasks: await soundOf(ports, claim, claimed.value.tasks) };
    }
    log("warning", "next_not_claimed", { agent_id, task_id, code: claimed.refusal.code });
  } catch (cause) {
    // The message is in the log of its task: an error would have the executor send it again.
    log("error", "next_not_claimed", { agent_id, task_id, detail: String(cause) });
  }
  return { tasks: [] };
}
