import { createServer } from "node:http";

import { z } from "zod";

const challengeSchema = z.object({
  type: z.literal("webhook_challenge"),
  data: z.object({ challenge: z.string() }),
});

/** What a receiver answers. */
export interface Reply {
  status: number;
  body: string;
}

/** A webhook receiver that answers as a test wants, by path; a challenge it meets by itself. */
export class Receiver {
  readonly #replies = new Map<string, Reply>();
  #url = "";
  readonly #server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    request.on("end", () => {
      const challenge = this.#challengeOf(Buffer.concat(chunks).toString("utf8"));
      const reply = this.#replies.get(request.url ?? "") ?? { status: 200, body: "thanks" };
      const isMet = challenge !== null && reply.status < 300;
      response.writeHead(reply.status).end(isMet ? challenge : reply.body);
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = z.object({ port: z.int() }).parse(this.#server.address());
    this.#url = `http://127.0.0.1:${port}`;
    return this;
  }

  /** The address of an endpoint that answers so from now on. */
  answering(path: string, reply: Reply): string {
    this.#replies.set(path, reply);
    return this.#url + path;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #challengeOf(body: string): string | null {
    const read = challengeSchema.safeParse(JSON.parse(body));
    return read.success ? read.data.data.challenge : null;
  }
}
