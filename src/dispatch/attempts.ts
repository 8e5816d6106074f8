import { ok } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { SignedBy } from "../protocol/access.ts";
import type { AgentEndTask } from "../protocol/agent-end-task.ts";
import { heartbeatAnswerSchema } from "../protocol/agent.ts";
import type { Heartbeat, Lease, OpenCommand } from "../protocol/agent.ts";
import type { Notification } from "../protocol/notification.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { endReceiptSchema } from "../protocol/task-view.ts";
import type { EndReceipt, NotificationReceipt } from "../protocol/task-view.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Whether a message is no repetition, and the attempt that it ended; null when that goes on. */
interface Reception {
  isNew: boolean;
  ended_attempt: number | null;
}

/** A task's object as an executor's attempt calls it; payloads are JSON text. */
export interface AttemptDoor {
  /** `signer`: the agent that signed the message, whose the lease has to be, and which message; null by a key. */
  decline(token: string | null, reason: string, signer: SignedBy | null): Answer<null>;
  heartbeat(token: string | null, beat: string, signer: SignedBy | null): Answer<string>;
  notify(
    token: string | null,
    notification: string,
  ): Answer<{ receipt: NotificationReceipt } & Reception>;
  end(token: string | null, end: string): Answer<{ receipt: string } & Reception>;
}

/** Whose attempt it is: the lease token proves it, whoever sends it. */
interface AttemptAddress {
  tenant: string;
  task_id: string;
  token: string | null;
  /** The agent that signed, where the message itself does not name it. */
  signer?: SignedBy | undefined;
}

/** Use cases of an executor that holds a task. Each is fenced by the lease token. */
export interface Attempts {
  decline(at: AttemptAddress, reason: string): Answer<null>;
  heartbeat(at: AttemptAddress, beat: Heartbeat): Answer<{ lease: Lease; commands: OpenCommand[] }>;
  notify(
    at: AttemptAddress,
    notification: Notification,
  ): Answer<{ receipt: NotificationReceipt } & Reception>;
  end(at: AttemptAddress, end: AgentEndTask): Answer<{ receipt: EndReceipt } & Reception>;
}

/** The use cases of attempts. */
export function createAttempts(door: (tenant: string, task_id: string) => AttemptDoor): Attempts {
  const at = ({ tenant, task_id }: AttemptAddress): AttemptDoor => door(tenant, task_id);
  return {
    decline: (address, reason) =>
      at(address).decline(address.token, reason, address.signer ?? null),
    async heartbeat(address, beat) {
      const { token, signer = null } = address;
      const beaten = await at(address).heartbeat(token, JSON.stringify(beat), signer);
      return beaten.ok ? ok(heartbeatAnswerSchema.parse(JSON.parse(beaten.value))) : beaten;
    },
    notify: (address, notification) =>
      at(address).notify(address.token, JSON.stringify(notification)),
    async end(address, end) {
      const ended = await at(address).end(address.token, JSON.stringify(end));
      if (!ended.ok) return ended;
      const receipt = endReceiptSchema.parse(JSON.parse(ended.value.receipt));
      return ok({ ...ended.value, receipt });
    },
  };
}
