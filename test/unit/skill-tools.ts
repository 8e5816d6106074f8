import type {
  HttpAnswer,
  HttpFault,
  HttpRequest,
  JsonObject,
  JsonValue,
  Skill,
  SkillOutcome,
  SkillProgress,
  SkillTools,
} from "../../src/executor/skills/skill.ts";
import { ok, refuse, type Result } from "../../src/lib/result.ts";

/** What a scripted server does: answers, or fails; what is left out is 200, no headers, no body, 10 ms. */
export type Reply =
  | (Partial<Omit<HttpAnswer, "bytes">> & { json?: JsonValue })
  | { fault: HttpFault["class"]; detail?: string; duration_ms?: number };

/** One scripted answer to each request: by its number among the requests to the same address, from 0. */
export type Server = (request: HttpRequest, nth: number) => Reply;

/** Tools on a clock and a network of the test's own, with a journal that outlives them. */
export interface ScriptedTools extends SkillTools {
  /** Requests that were sent, in order; trials are not. */
  sent: HttpRequest[];
  /** Values by the names of their steps, as a checkpoint would hold them: hand it to the next attempt. */
  journal: Map<string, JsonValue>;
  /** What `pause` was asked for, in order. Milliseconds. */
  pauses: number[];
  abort: () => void;
}

/** Answers always the same, whoever asks. */
export function always(reply: Reply): Server {
  return () => reply;
}

/** Answers each address with its own replies, the last of which repeats. */
export function serverOf(replies: Readonly<Record<string, Reply | readonly Reply[]>>): Server {
  return ({ url }, nth) => {
    const listed = [replies[url] ?? { fault: "network", detail: `no such server: ${url}` }].flat();
    return listed[Math.min(nth, listed.length - 1)] ?? {};
  };
}

/**
 * @param server what the network does
 * @param journal of an attempt before
 */
export function scriptedTools(
  server: Server,
  journal = new Map<string, JsonValue>(),
): ScriptedTools {
  const controller = new AbortController();
  const sent: HttpRequest[] = [];
  const pauses: number[] = [];
  let clock = 1_700_000_000_000;
  return {
    sent,
    journal,
    pauses,
    abort: () => controller.abort(),
    signal: controller.signal,
    now: () => clock,
    idempotencyKey: (name) => `task-1-${name}`,
    pause: async (ms) => {
      pauses.push(ms);
      clock += ms;
    },
    step: async (name, work) => {
      const known = journal.get(name);
      // What the journal holds under a name is what that step's work gave.
      if (known !== undefined) return known as Awaited<ReturnType<typeof work>>;
      const value = await work();
      journal.set(name, JSON.parse(JSON.stringify(value)));
      return value;
    },
    http: async (request) => {
      if (controller.signal.aborted)
        return refuse({ class: "aborted", detail: "", duration_ms: 0 });
      const nth = sent.filter(({ url }) => url === request.url).length;
      const reply = server(request, nth);
      const isRefused = "fault" in reply && reply.fault.endsWith("_refused");
      if (request.is_trial === true && !isRefused) return answered({ status: 0, duration_ms: 0 });
      if (!isRefused && request.is_trial !== true) sent.push(request);
      const answer = answered(reply);
      clock += answer.ok ? answer.value.duration_ms : answer.refusal.duration_ms;
      return answer;
    },
  };
}

function answered(reply: Reply): Result<HttpAnswer, HttpFault> {
  if ("fault" in reply) {
    const { fault, detail = fault, duration_ms = 10 } = reply;
    return refuse({ class: fault, detail, duration_ms });
  }
  const { json, text = json === undefined ? "" : JSON.stringify(json), ...rest } = reply;
  const bytes = Buffer.byteLength(text);
  return ok({ status: 200, headers: {}, is_cut: false, duration_ms: 10, ...rest, text, bytes });
}

/** Runs a skill that waits to its end, or to where `until` says to drop it, and keeps what it reported. */
export async function runWaiting(
  skill: Skill,
  task: { description?: string; input_data?: JsonObject; configuration?: JsonObject },
  tools: SkillTools,
): Promise<{ outcome: SkillOutcome; progress: SkillProgress[] }> {
  const {
    description = "Watch the shop for the operators",
    input_data = {},
    configuration = {},
  } = task;
  const run = skill.run({ description, input_data, configuration }, tools);
  const progress: SkillProgress[] = [];
  for (let step = await run.next(); ; step = await run.next()) {
    if (step.done === true) return { outcome: step.value, progress };
    progress.push(step.value);
  }
}
