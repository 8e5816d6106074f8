import { ok } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import type { ChannelAnswer, ChannelFrame } from "../../protocol/agent-channel.ts";
import { SCHEMA_VERSION } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { EndedAttempt } from "../executor-ports.ts";
import type { RestPorts } from "../ports.ts";

/** Frames that speak of a task. */
export type TaskFrame = Exclude<ChannelFrame, { type: "pong" | "ready" }>;

/** What the same call over HTTP would have answered, and the attempt that it ended. */
export type Called = Result<
  Pick<Extract<ChannelAnswer, { type: "answer" }>, "status" | "body"> & {
    ended: EndedAttempt | null;
  },
  Refusal
>;

/** The task that a frame speaks of. */
export function taskOf(frame: TaskFrame): string {
  return frame.type === "notify" ? frame.notification.task_id : frame.task_id;
}

/** Carries out a frame as the same call over HTTP is. */
export async function callFor(
  frame: TaskFrame,
  by: Principal,
  { tasks, notes }: Pick<RestPorts, "tasks" | "notes">,
): Promise<Called> {
  const task_id = taskOf(frame);
  const token = frame.lease_token;
  switch (frame.type) {
    case "heartbeat": {
      const beat = frame.heartbeat ?? { schema_version: SCHEMA_VERSION };
      const beaten = await tasks.heartbeat(by, task_id, token, beat);
      return beaten.ok ? ok({ status: 200, body: beaten.value, ended: null }) : beaten;
    }
    case "decline": {
      const declined = await tasks.decline(by, task_id, token, frame.reason);
      return declined.ok ? ok({ status: 202, body: { task_id }, ended: null }) : declined;
    }
    case "list_notes": {
      const found = await notes.list(by, { task_id, token });
      return found.ok ? ok({ status: 200, body: found.value, ended: null }) : found;
    }
    case "put_note": {
      const { key, value } = frame;
      const written = await notes.put(by, { task_id, token }, { key, value });
      return written.ok ? ok({ status: 200, body: written.value, ended: null }) : written;
    }
    case "delete_note": {
      const removed = await notes.remove(by, { task_id, token }, frame.key);
      return removed.ok ? ok({ status: 204, body: { task_id }, ended: null }) : removed;
    }
    case "notify":
      return received(task_id, await tasks.notify(by, token, frame.notification));
    case "end":
      return received(task_id, await tasks.end(by, task_id, token, frame.end));
  }
}

type Received =
  | Awaited<ReturnType<RestPorts["tasks"]["notify"]>>
  | Awaited<ReturnType<RestPorts["tasks"]["end"]>>;

function received(task_id: string, sent: Received): Called {
  if (!sent.ok) return sent;
  const { receipt, isNew, ended_attempt: attempt } = sent.value;
  const ended = attempt === null ? null : { task_id, attempt };
  return ok({ status: isNew ? 202 : 200, body: receipt, ended });
}
