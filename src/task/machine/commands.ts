import type { Result } from "../../lib/result.ts";
import type { SignedBy } from "../../protocol/access.ts";
import type { AgentEndTask } from "../../protocol/agent-end-task.ts";
import type { CommandRequest, Heartbeat } from "../../protocol/agent.ts";
import type { EndReason } from "../../protocol/enums.ts";
import type { ChildReport } from "../../protocol/kin.ts";
import type { Notification } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Hop } from "../../protocol/span-names.ts";
import type { Actor, EndPhaseRecord, EscalationResolution } from "../../protocol/task-view.ts";
import type { GateNews } from "../kin/gates.ts";
import type { DraftEvent, Memo, Origin, SettledTask } from "./state.ts";

/** Everything that can be asked of a task. Ids, tokens and the clock come from outside. */
export type Command =
  | { type: "submit"; origin: Origin; task: SettledTask; actor: Actor; hop?: Hop | undefined }
  | { type: "assign"; agent_id: string; attempt: number; token: string; decision: JsonObject }
  /** `signer`: the agent that signed it, where one did, and by what this message is known. */
  | { type: "decline"; token: string | null; reason: string; signer?: SignedBy | null }
  | { type: "heartbeat"; token: string | null; beat: Heartbeat; signer?: SignedBy | null }
  /** `was_held`: it was accepted when it came, and waited for its turn. */
  | { type: "notify"; token: string | null; notification: Notification; was_held?: boolean }
  | { type: "end"; token: string | null; end: AgentEndTask }
  | { type: "order"; command_id: string; request: CommandRequest; actor: Actor }
  | { type: "resolve"; escalation_id: string; resolution: EscalationResolution; actor: Actor }
  /** What it waits for has been asked. */
  | { type: "gates"; news: GateNews }
  /** Its family has changed; `results` are what its children reported, where their join needs them. */
  | { type: "family"; results: ChildReport[] }
  /** Its parent is over. */
  | { type: "stop"; command_id: string; reason: EndReason; message: string }
  /** Time has passed. */
  | { type: "tick" }
  /** End phases were carried out; `report` closes the task. */
  | { type: "finish"; phases: EndPhaseRecord[]; report: JsonObject | null };

/** What a command changes. Nothing at all for a repetition. */
export interface Change {
  events: DraftEvent[];
  /** Replaces the memo. */
  memo?: Memo;
  /** Came before its turn: to be kept and applied when the gap closes. */
  hold?: Notification;
  /** The log already has it under this seq. */
  repeated_seq?: number;
  /** An end whose reason differs from the frozen verdict. */
  isReasonIgnored?: boolean;
  /** An end that came when the attempt had been taken away: nothing of it enters the report. */
  areFactsIgnored?: boolean;
}

/** The outcome of a rule. */
export type Decision = Result<Change, Refusal>;
