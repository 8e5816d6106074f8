/* What speaking with executors takes, beside the ports of the rooms. */

/** What an executor's WebSocket needs of our end of it, once that is open; the platform's own satisfies it. */
export interface ChannelSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

/** Whether a message is no repetition, and the attempt that it ended; null when that goes on. */
export interface Reception {
  isNew: boolean;
  ended_attempt: number | null;
}

/** An attempt that has ended, whose slot is free for the next one. */
export interface EndedAttempt {
  task_id: string;
  attempt: number;
}

/** A message with a Standard Webhooks signature over its exact bytes. `timestamp` is unix seconds. */
export interface SignedMessage {
  id: string;
  timestamp: number;
  signature: string;
  body: Uint8Array;
}
