import { z } from "zod";

/* What went through the proxy, and how it reads. Pure. */

/** What a request is about. `offer` is a task that comes to an executor, `submit` one that comes from an orchestrator. */
export type Kind =
  | "register"
  | "claim"
  | "offer"
  | "started"
  | "progress"
  | "completed"
  | "failed"
  | "escalated"
  | "heartbeat"
  | "end"
  | "decline"
  | "submit"
  | "other";

/** An answer as it is passed on; `body` is null where it is no JSON. */
export interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  text: string;
  body: unknown;
}

/** One request and all that became of it. Instants are epoch milliseconds of the kit's own clock. */
export interface Exchange {
  at: number;
  kind: Kind;
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: unknown;
  task_id: string | null;
  token: string | null;
  /** The `notification_id`. */
  message_id: string | null;
  /** What the other side answered each time that the request was passed on. */
  passed: Answer[];
  /** What the sender got; null while it waits, and where its connection was cut. */
  answer: Answer | null;
  answeredAt: number | null;
  isCut: boolean;
}

const NOTIFICATIONS: Readonly<Record<string, Kind>> = {
  task_started: "started",
  task_progress: "progress",
  task_completed: "completed",
  task_failed: "failed",
  task_escalated: "escalated",
};

/** The kinds that POST /v1/notifications has. */
export const NOTIFICATION_KINDS: readonly Kind[] = Object.values(NOTIFICATIONS);

/** The kinds that only the holder of a lease may send. */
export const WRITE_KINDS: readonly Kind[] = [...NOTIFICATION_KINDS, "heartbeat", "end", "decline"];

const notificationSchema = z.looseObject({
  notification_type: z.string(),
  notification_id: z.string().optional(),
  task_id: z.string().optional(),
});
const offersSchema = z.looseObject({
  tasks: z.array(z.looseObject({ task: z.looseObject({ task_id: z.string() }) })),
});
const pushSchema = z.looseObject({
  data: z.looseObject({
    task: z.looseObject({ task_id: z.string() }),
    lease: z.looseObject({ token: z.string() }),
  }),
});
const problemSchema = z.looseObject({ code: z.string() });
const commandsSchema = z.looseObject({
  commands: z.array(z.looseObject({ command_id: z.string(), command: z.string() })),
});
const acknowledgedSchema = z.looseObject({ acknowledged: z.array(z.string()) });

const TASK_CALLS: Readonly<Record<string, Kind>> = {
  heartbeat: "heartbeat",
  end: "end",
  decline: "decline",
};

/** Where orchestrators leave their work. */
const SUBMISSIONS = new Set(["tasks", "batches", "requests"]);

type Reading = Pick<Exchange, "kind" | "task_id" | "message_id">;

const NOTHING = { task_id: null, message_id: null };

/** What a request says of itself by its address and body. */
export function reading(method: string, url: string, body: unknown): Reading {
  const [, version, room, id, call] = (url.split("?")[0] ?? "").split("/");
  if (version === "push") {
    const push = pushSchema.safeParse(body).data;
    return { ...NOTHING, kind: "offer", task_id: push?.data.task.task_id ?? null };
  }
  if (room === "agents") return { ...NOTHING, kind: agentCall(method, call) };
  if (method !== "POST") return { ...NOTHING, kind: "other" };
  if (room === "notifications") return notificationIn(body);
  return id === undefined ? roomCall(room) : taskCall(room, id, call);
}

function roomCall(room: string | undefined): Reading {
  return { ...NOTHING, kind: SUBMISSIONS.has(room ?? "") ? "submit" : "other" };
}

function taskCall(room: string | undefined, id: string, call: string | undefined): Reading {
  const kind = room === "tasks" ? TASK_CALLS[call ?? ""] : undefined;
  return kind === undefined ? { ...NOTHING, kind: "other" } : { ...NOTHING, kind, task_id: id };
}

function agentCall(method: string, call: string | undefined): Kind {
  if (method === "PUT") return "register";
  return call === "claim" ? "claim" : "other";
}

function notificationIn(body: unknown): Reading {
  const read = notificationSchema.safeParse(body).data;
  return {
    kind: NOTIFICATIONS[read?.notification_type ?? ""] ?? "other",
    task_id: read?.task_id ?? null,
    message_id: read?.notification_id ?? null,
  };
}

/** The lease token that a push brings; null where it is none. */
export function pushedToken(body: unknown): string | null {
  return pushSchema.safeParse(body).data?.data.lease.token ?? null;
}

/** The tasks that a claim was answered with. */
export function offered(answer: Answer): string[] {
  return (offersSchema.safeParse(answer.body).data?.tasks ?? []).map(({ task }) => task.task_id);
}

/** The code of a refusal; null where the answer is none. */
export function codeOf(answer: Answer | null): string | null {
  return problemSchema.safeParse(answer?.body).data?.code ?? null;
}

/** The ids of a command's name among those that a heartbeat was answered with. */
export function commandsIn(answer: Answer, command: string): string[] {
  const { commands } = commandsSchema.safeParse(answer.body).data ?? { commands: [] };
  return commands.filter((one) => one.command === command).map(({ command_id }) => command_id);
}

/** The commands that a heartbeat acknowledges. */
export function acknowledgedIn(exchange: Exchange): string[] {
  return acknowledgedSchema.safeParse(exchange.body).data?.acknowledged ?? [];
}

/** An answer made here, as Batuta writes it. */
export function answerWith(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const type = status < 400 ? "application/json" : "application/problem+json";
  const text = JSON.stringify(body);
  return { status, headers: { "content-type": type, ...headers }, text, body };
}

/** The same answer with another body. */
export function withBody(answer: Answer, body: unknown): Answer {
  return { ...answer, text: JSON.stringify(body), body };
}

/** The refusal of a request for which there is no room at present. */
export function overloaded(status: 429 | 503, retryAfterSeconds: number): Answer {
  const problem = {
    type: "about:blank",
    title: status === 429 ? "Too many requests" : "Not available at present",
    status,
    code: status === 429 ? "rate_limited" : "unavailable",
    detail: `Made by the conformance kit; come again in ${retryAfterSeconds} s.`,
    instance: "/",
    request_id: "kit",
  };
  return answerWith(status, problem, { "retry-after": String(retryAfterSeconds) });
}

const MOST_SHOWN = 14;

/** Exchanges as lines for a person: when, what, and what became of it. Instants are seconds since the first of them. */
export function told(exchanges: readonly Exchange[]): string[] {
  const [first] = exchanges;
  if (first === undefined) return ["no request came"];
  const lines = exchanges.map((exchange) => line(exchange, first.at));
  if (lines.length <= MOST_SHOWN) return lines;
  const half = MOST_SHOWN / 2;
  const left = lines.length - MOST_SHOWN;
  return [...lines.slice(0, half), `… ${left} more …`, ...lines.slice(-half)];
}

function line(exchange: Exchange, since: number): string {
  const { method, path, message_id, token, answer, isCut } = exchange;
  const what = exchange.kind === "other" ? "" : ` ${exchange.kind}`;
  const id = message_id === null ? "" : ` id=…${message_id.slice(-8)}`;
  const lease = token === null ? "" : ` lease=…${token.slice(-4)}`;
  const passed = exchange.passed.map(({ status }) => status).join(", ");
  const inside = passed === "" ? "not passed on" : `passed on: ${passed}`;
  const code = codeOf(answer);
  const outcome = isCut
    ? "connection cut"
    : answer === null
      ? "no answer yet"
      : `answered ${answer.status}${code === null ? "" : ` ${code}`}`;
  const at = ((exchange.at - since) / 1_000).toFixed(2);
  return `+${at} s ${method} ${path}${what}${id}${lease} → ${inside}; ${outcome}`;
}
