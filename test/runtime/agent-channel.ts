import { env, exports } from "cloudflare:workers";

import type { ChannelAnswer } from "../../src/protocol/agent-channel.ts";

/** An executor's end of its WebSocket: what came, and a way to wait for what is to come. */
export class ChannelClient {
  readonly #socket: WebSocket;
  readonly #came: ChannelAnswer[] = [];
  #waiting: (() => void)[] = [];
  /** Code and reason of the end; null while it is open. */
  closed: { code: number; reason: string } | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.#came.push(JSON.parse(String(data)));
      this.#wake();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wake();
    });
    socket.accept();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Sends a frame, or a text as it is. */
  say(frame: object | string): void {
    this.#socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  /** The next frame of a type; others before it are passed over. */
  async hear<Type extends ChannelAnswer["type"]>(
    type: Type,
  ): Promise<Extract<ChannelAnswer, { type: Type }>> {
    for (;;) {
      const frame = this.#came.shift();
      if (frame?.type === type) return frame as Extract<ChannelAnswer, { type: Type }>;
      if (frame === undefined) {
        if (this.closed !== null) throw new Error(`closed: ${JSON.stringify(this.closed)}`);
        // Every frame is looked at before the next is waited for.
        // oxlint-disable-next-line no-await-in-loop
        await this.#next();
      }
    }
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when the connection has ended. */
  async end(): Promise<{ code: number; reason: string }> {
    for (;;) {
      if (this.closed !== null) return this.closed;
      // oxlint-disable-next-line no-await-in-loop
      await this.#next();
    }
  }

  leave(): void {
    this.#socket.close(1_000, "leaving");
  }
}

/** Opens the WebSocket of an executor as a client would. */
export async function connect(
  agent_id: string,
  key = env.BATUTA_ADMIN_KEY,
): Promise<ChannelClient> {
  const response = await exports.default.fetch(
    new Request(`https://batuta.test/v1/agents/${agent_id}/connect`, {
      headers: { authorization: `Bearer ${key}`, upgrade: "websocket" },
    }),
  );
  if (response.webSocket === null) throw new Error(`no WebSocket: ${await response.text()}`);
  return new ChannelClient(response.webSocket);
}
