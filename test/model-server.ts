import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { AskedQuestion, ModelReply, ModelScript } from "./model-script.ts";

interface Mailbox {
  script: ModelScript;
  asked: AskedQuestion[];
}

/** An endless answer ends here all the same: whoever reads so much has failed. Bytes. */
const END_OF_ENDLESS = 64 * 1_048_576;

/**
 * A server that speaks OpenAI's chat completions on a loopback port, streamed and not, and answers what it was told to.
 *
 * - `POST /m/<id>/v1/chat/completions` records the question in mailbox `<id>` and answers the next reply of the script
 * - `PUT /script/<id>` replaces the script of mailbox `<id>`: a JSON {@link ModelScript}
 * - `GET /log/<id>` answers a JSON array of {@link AskedQuestion}, in order of arrival
 *
 * Tests in workerd reach it as `https://models.test` (outbound.ts) and use `newModelHost` of `runtime/model-host.ts`.
 */
export class ModelServer {
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #server: Server;
  #url: Promise<string> | null = null;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        // A question that was broken off takes its answer with it.
        if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined);
      });
    });
    // It must not keep a test run alive.
    this.#server.unref();
  }

  /** Where it listens, without a slash at the end; started when it is asked for the first time. */
  async url(): Promise<string> {
    this.#url ??= new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        resolve(`http://127.0.0.1:${port}`);
      });
    });
    return this.#url;
  }

  /** The base_url of a mailbox. */
  async baseUrl(id: string): Promise<string> {
    return `${await this.url()}/m/${id}/v1`;
  }

  script(id: string, script: ModelScript): void {
    this.#mailbox(id).script = structuredClone(script);
  }

  asked(id: string): AskedQuestion[] {
    return this.#mailbox(id).asked;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #mailbox(id: string): Mailbox {
    const mailbox = this.#mailboxes.get(id) ?? { script: {}, asked: [] };
    this.#mailboxes.set(id, mailbox);
    return mailbox;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, area = "", id = "", ...rest] = (request.url ?? "").split("/");
    const mailbox = this.#mailbox(id);
    const text = await textOf(request);
    if (area === "script") {
      mailbox.script = JSON.parse(text) as ModelScript;
      response.writeHead(204).end();
    } else if (area === "log") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(mailbox.asked));
    } else if (area === "m" && rest.join("/") === "v1/chat/completions") {
      await answerQuestion(mailbox, request, { text, response });
    } else {
      response.writeHead(404).end("no such path");
    }
  }
}

async function answerQuestion(
  mailbox: Mailbox,
  request: IncomingMessage,
  { text, response }: { text: string; response: ServerResponse },
): Promise<void> {
  const body = JSON.parse(text) as Record<string, unknown>;
  const model = String(body["model"]);
  // Drawn before anything is waited for, so that replies are used up in order of arrival.
  const replies = mailbox.script[model] ?? mailbox.script["*"] ?? [];
  const reply = (replies.length > 1 ? replies.shift() : replies[0]) ?? {};
  mailbox.asked.push({
    path: request.url ?? "",
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    ),
    model,
    body,
    at_ms: Date.now(),
  });
  if (reply.delay_ms !== undefined) await sleep(reply.delay_ms);
  if (reply.trouble === "silent") return;
  if (reply.body !== undefined || (reply.status ?? 200) !== 200) return answerAsIs(response, reply);
  const said = completionOf(model, reply, text.length);
  return body["stream"] === true
    ? answerStreamed(response, reply, said)
    : answerWhole(response, reply, said);
}

function answerAsIs(response: ServerResponse, { status = 200, headers, body }: ModelReply): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body ?? JSON.stringify({ error: { message: `scripted ${status}`, code: null } }));
}

type Completion = ReturnType<typeof completionOf>;

function completionOf(model: string, reply: ModelReply, length: number) {
  const { text = reply.tool_calls === undefined ? "OK" : null, usage } = reply;
  const calls = (reply.tool_calls ?? []).map(({ name, arguments: input }, index) => ({
    index,
    id: `call_${index}`,
    type: "function",
    function: { name, arguments: typeof input === "string" ? input : JSON.stringify(input) },
  }));
  const told = usage ?? {
    prompt_tokens: Math.ceil(length / 4),
    completion_tokens: Math.ceil((text ?? "").length / 4),
  };
  const finish_reason = reply.finish_reason ?? (calls.length > 0 ? "tool_calls" : "stop");
  return {
    base: { id: "chatcmpl-scripted", created: 1_700_000_000, model },
    text,
    calls,
    finish_reason,
    usage:
      usage === null
        ? {}
        : { usage: { ...told, total_tokens: told.prompt_tokens + told.completion_tokens } },
  };
}

async function answerWhole(
  response: ServerResponse,
  { headers, trouble }: ModelReply,
  { base, text, calls, finish_reason, usage }: Completion,
): Promise<void> {
  const message = {
    role: "assistant",
    content: text,
    ...(calls.length > 0 && { tool_calls: calls.map(({ index: _index, ...call }) => call) }),
  };
  const choices = [{ index: 0, message, finish_reason }];
  const whole = JSON.stringify({ ...base, object: "chat.completion", choices, ...usage });
  response.writeHead(200, { "content-type": "application/json", ...headers });
  if (trouble === undefined) return void response.end(whole);
  await write(response, whole.slice(0, Math.floor(whole.length / 2)));
  if (trouble === "cut") return cut(response);
  if (trouble === "endless") await babble(response, " ".repeat(65_536));
}

async function answerStreamed(
  response: ServerResponse,
  { headers, trouble, part_delay_ms }: ModelReply,
  { base, text, calls, finish_reason, usage }: Completion,
): Promise<void> {
  const event = (rest: object) =>
    `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", ...rest })}\n\n`;
  const part = (delta: object, reason: string | null = null) =>
    event({ choices: [{ index: 0, delta, finish_reason: reason }] });
  response.writeHead(200, { "content-type": "text/event-stream", ...headers });
  await write(response, part({ role: "assistant", content: "" }));
  for (const piece of text?.match(/[^]{1,24}/g) ?? []) {
    // One part after the other is what a stream is.
    // oxlint-disable-next-line no-await-in-loop
    await write(response, part({ content: piece }));
    if (trouble === "stalled") return;
    // oxlint-disable-next-line no-await-in-loop
    if (trouble === "cut") return cut(response);
    // oxlint-disable-next-line no-await-in-loop
    if (trouble === "endless") return babble(response, part({ content: "and on ".repeat(500) }));
    // oxlint-disable-next-line no-await-in-loop
    if (part_delay_ms !== undefined) await sleep(part_delay_ms);
  }
  if (calls.length > 0) await write(response, part({ tool_calls: calls }));
  await write(response, part({}, finish_reason));
  if ("usage" in usage) await write(response, event({ choices: [], ...usage }));
  response.end("data: [DONE]\n\n");
}

/** Closes the connection, after what was written has left. */
async function cut(response: ServerResponse): Promise<void> {
  await sleep(20);
  response.destroy();
}

/** Talks until nobody listens any more. */
async function babble(response: ServerResponse, text: string): Promise<void> {
  for (let sent = 0; sent < END_OF_ENDLESS && !response.destroyed; sent += text.length) {
    // oxlint-disable-next-line no-await-in-loop
    await write(response, text);
  }
  response.end();
}

/** Waits until the far end takes it, or is gone. */
async function write(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed || response.write(text)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.once("drain", done).once("close", done);
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
