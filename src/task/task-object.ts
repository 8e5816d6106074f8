import { DurableObject } from "cloudflare:workers";

import { randomId, type Clock } from "../lib/ports.ts";
import { ok, refuse, type Result } from "../lib/result.ts";
import type { SignedBy } from "../protocol/access.ts";
import { agentEndTaskSchema } from "../protocol/agent-end-task.ts";
import { commandRequestSchema, heartbeatSchema } from "../protocol/agent.ts";
import type { CommandView, Lease } from "../protocol/agent.ts";
import { kinCallSchema } from "../protocol/kin.ts";
import { notificationSchema } from "../protocol/notification.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { escalationResolutionSchema } from "../protocol/task-view.ts";
import type { Actor, NotificationReceipt } from "../protocol/task-view.ts";
import {
  assignmentOf,
  commandEntriesOf,
  endAnswerOf,
  escalationAnswer,
  heartbeatAnswer,
  latestEscalation,
  notificationReceiptOf,
  pageOf,
  reportText,
  requestedCommand,
} from "./answers.ts";
import type { EscalationAnswer, Reception } from "./answers.ts";
import { explain } from "./explain.ts";
import { answerKin } from "./kin/answer-kin.ts";
import { newCommandId } from "./kin/stop-order.ts";
import type { Command } from "./machine/commands.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { answerNotes } from "./notes-keeper.ts";
import { audienceOf, leaseOf, recordOf } from "./outbox.ts";
import type { Audience, Offer, Submission, TaskPorts } from "./ports.ts";
import { submitTo } from "./submit-to.ts";
import { TaskKeeper } from "./task-keeper.ts";
import { readEvents, readLog } from "./task-store.ts";
import { viewOf } from "./view.ts";
import { closeWatchers, openWatch } from "./watchers.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

const UNKNOWN: Refusal = { code: "task_not_found", detail: "There is no task with this id." };

/** Events in one answer to history; it asks again for those that follow. */
const EVENTS_PER_RECORD = 100;

/**
 * One task: the authority on its status, its log, its lease and its end.
 *
 * Payloads cross as JSON text and are parsed again here. Refusals are return values. Named
 * `<tenant>/<task_id>`, so that a submission finds its own repetition.
 */
export class TaskObject extends DurableObject<Env> {
  /** What tasks need from other rooms; set once by index.ts. */
  static connect: (env: Env) => TaskPorts;

  now: Clock = () => Date.now();
  #keeper: TaskKeeper;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#keeper = this.#newKeeper();
  }

  #newKeeper(): TaskKeeper {
    return new TaskKeeper(this.ctx, TaskObject.connect(this.env), () => this.now());
  }

  /** How the task stands, as an Outcome in JSON text; `waiter` is poked when it has ended. */
  async outcome(waiter: string | null): Answer<string> {
    return this.#tell(() => ok(JSON.stringify(this.#keeper.kin.outcome(waiter))));
  }

  /** Something that the task waits for may have changed: it asks again at once. */
  async poke(): Promise<void> {
    this.#keeper.kin.poked();
    await this.#keeper.arm();
  }

  /** What its parent, its children and whoever looks for circles ask; both ways as JSON text. */
  async kin(call: string): Answer<string> {
    return answerKin(this.#keeper, kinCallSchema.parse(JSON.parse(call)));
  }

  /** What is noted in it, and what is to be; both ways as JSON text. */
  async notes(call: string): Answer<string> {
    return answerNotes({ sql: this.ctx.storage.sql, now: this.now, task: this.#keeper }, call);
  }

  /** Creates the task, or recognises the repetition of the same request. Refused as `submitTo` says. */
  async submit(submission: Submission): Answer<{ view: string; isNew: boolean }> {
    return submitTo(this.#keeper, submission);
  }

  /** Gives the task to an executor and mints its lease. Refused when the offer is out of date. */
  async assign(offer: Offer): Answer<{ task: string; lease: Lease; trace_id: string }> {
    const { agent_id, attempt } = offer;
    const decision: Record<string, unknown> = JSON.parse(offer.decision);
    const command: Command = { type: "assign", agent_id, attempt, decision, token: randomId() };
    const done = await this.#keeper.apply(command);
    if (!done.ok) return done;
    const { state } = done.value;
    const { trace_id } = state.origin;
    return ok({ task: JSON.stringify(assignmentOf(state)), lease: leaseOf(state), trace_id });
  }

  /** The executor gives the task back. */
  async decline(
    token: string | null,
    reason: string,
    signer: SignedBy | null = null,
  ): Answer<null> {
    const done = await this.#keeper.apply({ type: "decline", token, reason, signer });
    return done.ok ? ok(null) : done;
  }

  /** Renews the lease and hands over the open commands, both as JSON text. */
  async heartbeat(
    token: string | null,
    beat: string,
    signer: SignedBy | null = null,
  ): Answer<string> {
    const parsed = heartbeatSchema.parse(JSON.parse(beat));
    const done = await this.#keeper.apply({ type: "heartbeat", token, beat: parsed, signer });
    return done.ok ? heartbeatAnswer(done.value.state, this.now()) : done;
  }

  /** The executor says something; early ones are held and applied in order when the gap closes. */
  async notify(
    token: string | null,
    text: string,
  ): Answer<{ receipt: NotificationReceipt } & Reception> {
    const notification = notificationSchema.parse(JSON.parse(text));
    const done = await this.#keeper.applyNotification(token, notification);
    if (!done.ok) return done;
    const type = notification.notification_type;
    return ok(notificationReceiptOf(done.value, { type, token }));
  }

  /** The executor's last word. Repeated: the same answer. The receipt is JSON text. */
  async end(token: string | null, text: string): Answer<{ receipt: string } & Reception> {
    const end = agentEndTaskSchema.parse(JSON.parse(text));
    const done = await this.#keeper.apply({ type: "end", token, end });
    return done.ok ? ok(endAnswerOf(done.value, token)) : done;
  }

  /** An orchestrator or operator wants something of the task. */
  async command(text: string, actor: Actor): Answer<CommandView> {
    const request = commandRequestSchema.parse(JSON.parse(text));
    const command_id = newCommandId();
    const done = await this.#keeper.apply({ type: "order", command_id, request, actor });
    return done.ok ? ok(requestedCommand(done.value.state, command_id)) : done;
  }

  /** Answers an escalation, once. The answer is the escalation as JSON text. */
  async resolve(escalation_id: string, text: string, actor: Actor): Answer<string> {
    const resolution = escalationResolutionSchema.parse(JSON.parse(text));
    const done = await this.#keeper.apply({ type: "resolve", escalation_id, resolution, actor });
    return done.ok ? ok(latestEscalation(done.value.state)) : done;
  }

  /** The commands of the task as JSON text. */
  async commands(): Answer<string> {
    return this.#tell((state) => ok(JSON.stringify(commandEntriesOf(state))));
  }

  /** An escalation as JSON text, and who may answer it. */
  async escalation(escalation_id: string): Answer<EscalationAnswer> {
    return this.#tell((state) => escalationAnswer(state, escalation_id));
  }

  async #tell<Value>(answer: (state: TaskState) => Result<Value, Refusal>): Answer<Value> {
    const state = await this.#keeper.current();
    return state === null ? refuse(UNKNOWN) : answer(state);
  }

  /** The task view as JSON text, and who ever held it. */
  async view(): Answer<{ view: string; holders: string[] }> {
    return this.#tell((state) =>
      ok({ view: JSON.stringify(viewOf(state)), holders: state.holders }),
    );
  }

  /** By what the endpoints of this task are found. */
  audience(): Answer<Audience> {
    return this.#tell((state) => ok(audienceOf(state)));
  }

  /** Events after a seq as a JSON array, and whether there are more. */
  async events(after: number, limit: number): Answer<{ events: string; isMore: boolean }> {
    const { sql } = this.ctx.storage;
    return this.#tell((state) => ok(pageOf(state, readEvents(sql, after, limit).slice(0, limit))));
  }

  /** The end-task report as JSON text. Refused with report_not_ready before the end. */
  async report(): Answer<string> {
    return this.#tell((state) => reportText(state, readLog(this.ctx.storage.sql)));
  }

  /** Why the task is where it is, as JSON text. */
  async explain(): Answer<string> {
    const state = await this.#keeper.current();
    if (state === null) return refuse(UNKNOWN);
    return ok(JSON.stringify(explain(state, await this.#keeper.kin.askedGates(state))));
  }

  /** View, escalation and the next events after a seq as JSON text: what history needs to catch up. */
  async record(after: number): Answer<string> {
    const events = (): LoggedEvent[] => readEvents(this.ctx.storage.sql, after, EVENTS_PER_RECORD);
    return this.#tell((state) => ok(JSON.stringify(recordOf(state, events()))));
  }

  /** Sends the whole log to history again. */
  async rebuild(): Answer<{ seq: number }> {
    const state = await this.#keeper.current();
    if (state === null) return refuse(UNKNOWN);
    await this.#keeper.sendToHistory(state);
    return ok({ seq: state.seq });
  }

  /**
   * A WebSocket that carries each event after `?after=` as JSON text. It closes when the task has ended, and
   * when more has happened than one portion of the log holds: then the watcher asks again from where it is.
   */
  override async fetch(request: Request): Promise<Response> {
    const state = await this.#keeper.current();
    if (state === null) return new Response(null, { status: 404 });
    return openWatch(this.ctx, state, request.url);
  }

  /** A watcher went away. */
  override webSocketClose(socket: WebSocket, code: number): void {
    closeWatchers([socket], code);
  }

  /** Tries again what its end left undone. The answer is JSON text {state: settled | open, detail}. */
  async repair(debt_id: string): Answer<string> {
    const state = await this.#keeper.current();
    return state === null ? refuse(UNKNOWN) : this.#keeper.repair(state, debt_id);
  }

  /** Does what is due and arms the alarm, for a task whose alarm was lost; one whose alarm is to come sleeps on. */
  async nudge(): Promise<void> {
    const alarm_at = await this.ctx.storage.getAlarm();
    const waking = { hasAlarmFired: false, alarm_at: alarm_at ?? undefined };
    if ((alarm_at ?? 0) <= this.now()) await this.#keeper.wake(waking);
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await this.#keeper.wake({ hasAlarmFired: true, alarm_at: info?.scheduledTime });
    // What the old one remembers is of a task that is not here any more.
    if (this.#keeper.isEmptied) this.#keeper = this.#newKeeper();
  }
}
