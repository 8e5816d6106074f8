import type { Principal } from "../../protocol/access.ts";
import { channelAnswerSchema } from "../../protocol/agent-channel.ts";
import type { ChannelAnswer, ChannelFrame } from "../../protocol/agent-channel.ts";
import { placesOf } from "../../protocol/declared-names.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { limitRefusal } from "../edge/limit.ts";
import { problemOf } from "../edge/problems.ts";
import type { ChannelSocket } from "../executor-ports.ts";
import type { RestPorts } from "../ports.ts";
import type { KeepAlive } from "../route.ts";
import { giveTasksBack, soundOf } from "../sound-tasks.ts";
import type { Claimed } from "../sound-tasks.ts";
import { outflowOf } from "../withheld.ts";
import { callFor, taskOf } from "./calls.ts";
import { TaskFeed } from "./feed.ts";
import { parseFrame } from "./frame.ts";
import type { RefusedFrame } from "./frame.ts";
import { FrameLanes } from "./lanes.ts";
import { noteRefused } from "./refused-frame.ts";

/* An executor's WebSocket (shell: its timer and the socket). It translates frames to the ports and decides nothing. */

/** A ping so often keeps proxies from closing a quiet connection, and is how a dead client is noticed. */
const PING_MS = 15_000;

/** A client is dead that has said nothing for so long, three pings included. */
const SILENCE_MS = 50_000;

/** A connection ends after so long and the client opens the next: keys are asked for anew, nothing lives on unnoticed. */
const MAX_AGE_MS = 600_000;

/** Frames and claims of one connection: each costs some of the 10,000 calls of an invocation (facts/platform.md §4). */
const MOST_CALLS = 2_000;

/** Frames of one connection that may break their schema: a client that sends more does not read the answers. */
const MOST_MALFORMED = 50;

/** Close codes of RFC 6455 §7.4.1, and 1012 of IANA's registry. */
const CLOSE = { goingAway: 1_001, refused: 1_008, broken: 1_011, again: 1_012 } as const;

/** Whose connection it is, and what it is built of. */
export interface ChannelParts {
  by: Principal;
  agent_id: string;
  requestId: string;
  /** The known version that it was opened with; null where it named none. */
  version: string | null;
  /** Whether the key that it was opened with still opens doors: by memory alone in most cases. Never fails. */
  isStillGood: () => Promise<boolean>;
  ports: Pick<RestPorts, "agents" | "tasks" | "notes" | "limits" | "now" | "log" | "validations">;
  keepAlive: KeepAlive;
}

/**
 * One connection of an executor. While its client is `ready`, tasks are claimed for it and sent; its frames are
 * carried out as the same calls over HTTP are, those of one task in order, and answered by their ids.
 *
 * What is reserved when the client goes away returns to its pool; what is assigned by then is declined at once.
 */
export class AgentChannel {
  readonly #parts: ChannelParts;
  readonly #socket: ChannelSocket;
  readonly #lanes = new FrameLanes();
  readonly #feed: TaskFeed;
  readonly #bornAt: number;
  #heardAt: number;
  #calls = 0;
  #malformed = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isOpen = true;
  #isLeaving = false;

  constructor(socket: ChannelSocket, parts: ChannelParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#bornAt = parts.ports.now();
    this.#heardAt = this.#bornAt;
    const { by, agent_id, ports } = parts;
    this.#feed = new TaskFeed({
      claim: (request, manner) => ports.agents.claim(by, agent_id, request, manner),
      hand: (tasks) => this.#hand(tasks),
      onRefused: (refusal) => {
        this.#refuse(null, refusal);
        this.#close(CLOSE.refused, refusal.code);
      },
      onError: (cause) => this.#break("channel_claim_failed", cause),
    });
  }

  /** Greets the client and listens to it from now on. */
  open(): void {
    const lose = (): void => this.#end();
    this.#socket.addEventListener("message", ({ data }) => this.#receive(data));
    this.#socket.addEventListener("close", lose);
    this.#socket.addEventListener("error", lose);
    this.#timer = setInterval(() => this.tick(), PING_MS);
    const { agent_id } = this.#parts;
    this.#send({ type: "welcome", agent_id, ping_seconds: PING_MS / 1_000 });
  }

  /** Pings, and ends what is dead or old. The timer calls it. */
  tick(): void {
    const now = this.#parts.ports.now();
    if (now - this.#heardAt > SILENCE_MS) return this.#close(CLOSE.goingAway, "no sign of life");
    if (now - this.#bornAt > MAX_AGE_MS || this.#calls + this.#feed.calls > MOST_CALLS) {
      this.#isLeaving = true;
      this.#feed.stop();
      return this.#leaveIfIdle();
    }
    this.#send({ type: "ping" });
  }

  #receive(data: unknown): void {
    if (!this.#isOpen) return;
    this.#heardAt = this.#parts.ports.now();
    const parsed = parseFrame(data, this.#parts.version);
    switch (parsed.kind) {
      case "breach":
        return this.#close(parsed.code, parsed.reason);
      case "refused":
        return this.#parts.keepAlive(this.#takeMalformed(parsed));
      case "frame":
        return this.#parts.keepAlive(this.#take(parsed.frame, parsed.warnings));
    }
  }

  async #take(frame: ChannelFrame, warnings: string[]): Promise<void> {
    if (frame.type === "pong") return;
    // One that always waits for some answer would never be idle.
    if (this.#isLeaving) return this.#close(CLOSE.again, "connect again");
    this.#calls += 1;
    if (frame.type === "ready") {
      const { id, max_tasks } = frame;
      if (!(await this.#mayGoOn())) return;
      const refusal = await this.#overLimit();
      if (refusal !== null) return this.#refuse(id ?? null, refusal);
      if (id !== undefined) this.#send({ type: "answer", id, status: 200, body: { max_tasks } });
      return this.#feed.ready(max_tasks);
    }
    const isTaken = await this.#lanes.run(taskOf(frame), () => this.#carryOut(frame, warnings));
    if (!isTaken) this.#close(CLOSE.refused, "too many frames without an answer");
    this.#leaveIfIdle();
  }

  /** A frame that breaks its schema is a request like any other: it counts, and leaves a record. */
  async #takeMalformed(refused: RefusedFrame): Promise<void> {
    if (this.#isLeaving) return this.#close(CLOSE.again, "connect again");
    this.#calls += 1;
    this.#malformed += 1;
    if (this.#malformed > MOST_MALFORMED) {
      return this.#close(CLOSE.refused, "too many malformed frames");
    }
    try {
      if (!(await this.#mayGoOn())) return;
      const overLimit = await this.#overLimit();
      if (overLimit === null) noteRefused(this.#parts, refused);
      this.#refuse(refused.id, overLimit ?? refused.refusal);
    } catch (cause) {
      this.#break("channel_frame_failed", cause);
    }
  }

  /** Asked of every frame: a key that has ended ends what was opened with it. */
  async #mayGoOn(): Promise<boolean> {
    if (await this.#parts.isStillGood()) return true;
    this.#close(CLOSE.refused, "the key is no longer good");
    return false;
  }

  /** Each frame is one request of the class `notify`, as the same call over HTTP is; null when it may pass. */
  async #overLimit(): Promise<Refusal | null> {
    const { by, ports } = this.#parts;
    const draw = await ports.limits.draw(by, "notify");
    return draw.isAllowed ? null : limitRefusal("notify", draw);
  }

  async #carryOut(frame: Parameters<typeof callFor>[0], warnings: string[]): Promise<void> {
    const { by, ports } = this.#parts;
    try {
      // Asked here and not before its turn, so that frames keep their order.
      if (!(await this.#mayGoOn())) return;
      const refusal = await this.#overLimit();
      if (refusal !== null) return this.#refuse(frame.id, refusal);
      const called = await callFor(frame, by, ports);
      if (!called.ok) return this.#refuse(frame.id, called.refusal);
      const { ended, ...answer } = called.value;
      if (ended !== null) this.#feed.slotFreed(ended);
      const told = warnings.length > 0 && { warnings };
      this.#sendSound({ type: "answer", id: frame.id, ...answer, ...told });
    } catch (cause) {
      this.#break("channel_frame_failed", cause);
    }
  }

  /** Tasks that the client does not hear of go back. */
  async #hand(tasks: Claimed[]): Promise<void> {
    const { by, ports, requestId } = this.#parts;
    const giveBack = (given: Claimed[], reason: string): Promise<void> =>
      giveTasksBack(ports, by, { tasks: given, reason });
    if (!(await this.#mayGoOn())) return giveBack(tasks, "the executor's key is no longer good");
    const claim = { kind: "channel", operation: "connect_agent", requestId, by } as const;
    const sound = await soundOf(ports, claim, tasks);
    if (sound.length === 0 || this.#sendText(JSON.stringify({ type: "tasks", tasks: sound })))
      return;
    return giveBack(sound, "the executor's connection was gone");
  }

  #refuse(id: string | null, refusal: Refusal): void {
    const { agent_id, requestId } = this.#parts;
    const path = `/v1/agents/${agent_id}/connect`;
    this.#send({ type: "problem", id, problem: problemOf(refusal, { id: requestId, path }) });
  }

  /** What rooms gave; a notice in its place when it breaks its schema. */
  #sendSound(answer: Extract<ChannelAnswer, { type: "answer" }>): void {
    if (this.#isSound(answer)) return this.#send(answer);
    const detail = "the answer broke its own contract and was withheld";
    this.#refuse(answer.id, { code: "internal_error", detail });
  }

  #isSound(frame: unknown): boolean {
    const parsed = channelAnswerSchema.safeParse(frame);
    if (parsed.success) return true;
    const { by, ports, requestId, keepAlive } = this.#parts;
    const origin = { kind: "channel", operation: "connect_agent", requestId, by } as const;
    const { tellWithheld } = outflowOf(ports, origin);
    keepAlive(tellWithheld(placesOf(channelAnswerSchema, parsed.error)));
    return false;
  }

  #send(answer: ChannelAnswer): void {
    this.#sendText(JSON.stringify(answer));
  }

  /** False when the client is gone. */
  #sendText(text: string): boolean {
    if (!this.#isOpen) return false;
    try {
      this.#socket.send(text);
      return true;
    } catch {
      // The platform knew of the end before it told us.
      this.#end();
      return false;
    }
  }

  #break(event: string, cause: unknown): void {
    const { agent_id, requestId, ports } = this.#parts;
    ports.log("error", event, { agent_id, request_id: requestId, detail: String(cause) });
    this.#close(CLOSE.broken, "something broke; connect again");
  }

  #leaveIfIdle(): void {
    if (this.#isLeaving && this.#lanes.isIdle) this.#close(CLOSE.again, "connect again");
  }

  #close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#end();
    this.#socket.close(code, reason);
  }

  #end(): void {
    this.#isOpen = false;
    clearInterval(this.#timer);
    this.#feed.stop();
  }
}
