import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import type { Result } from "../lib/result.ts";
import type { AgentEndTask } from "../protocol/agent-end-task.ts";
import type { Heartbeat, Lease, OpenCommand } from "../protocol/agent.ts";
import type { TaskType } from "../protocol/enums.ts";
import type { CatalogueModel } from "../protocol/model.ts";
import type { Notification } from "../protocol/notification.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { ExecutionMessage } from "../protocol/queue-messages.ts";
import type { Fault, Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { MemoryDoor, RecalledMemory } from "./memory/memory-port.ts";
import type { ModelAnswer, ModelDoor, ModelRequest } from "./models/model-port.ts";
import type { Assessment, Finding, QualityQuestion } from "./quality/assessment.ts";
import type { RouterDoor } from "./router/router-port.ts";
import type {
  HttpAnswer,
  HttpFault,
  HttpRequest,
  JsonObject as PlainJsonObject,
  JsonValue,
  Skill,
  SkillFailure,
  SkillTask,
  SkillTools,
} from "./skills/skill.ts";

/** An assigned task, addressed for every write of its attempt. */
export interface Assignment {
  tenant: string;
  task_id: string;
  lease: Lease;
}

/** What a model is briefed with. Everything in it but the tools comes from outside. */
export interface BriefParts {
  task: SkillTask;
  task_type: TaskType;
  /** JSON Schema of contract.output_schema; null when there is none. */
  output_schema: PlainJsonObject | null;
  memories: readonly RecalledMemory[];
  /** What was wrong with the answer before, and that answer; none and null in a first round. */
  findings: readonly Finding[];
  previous: string | null;
  /** The executor's own skills, which the model may call as tools, and what these need. */
  skills: readonly Skill[];
  tools: SkillTools;
  model: CatalogueModel;
}

/** A model's answer, read. */
export interface AssistedResult {
  output: JsonValue;
  summary: string;
  next_steps: string[];
  lessons_learned: string[];
}

/** A question as a model gets it, and how its answer is read. */
export interface ModelBrief {
  request: Pick<
    ModelRequest,
    | "system"
    | "turns"
    | "output_schema"
    | "tools"
    | "max_tool_rounds"
    | "max_output_tokens"
    | "temperature"
  >;
  read(answer: ModelAnswer): Result<AssistedResult, Finding[]>;
}

/** What the built-in executor needs: the same doors that every executor has, and what its skills and models need. */
export interface ExecutorPorts {
  now: Clock;
  log: Log;
  /** Waits; less when the signal is aborted meanwhile. Never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** The task of a message as JSON text, or null when it is not this executor's to take. */
  take(message: ExecutionMessage): Promise<Result<{ task: string; lease: Lease } | null, Refusal>>;
  notify(to: Assignment, notification: Notification): Promise<Result<unknown, Refusal>>;
  heartbeat(to: Assignment, beat: Heartbeat): Promise<Result<{ commands: OpenCommand[] }, Refusal>>;
  end(to: Assignment, end: AgentEndTask): Promise<Result<unknown, Refusal>>;
  /** Reads a table from a URL as `{csv}` or `{rows}`. */
  fetchInput(url: string): Promise<Result<JsonObject, SkillFailure>>;
  /** One request of a skill. Never throws. */
  http(request: HttpRequest, signal: AbortSignal): Promise<Result<HttpAnswer, HttpFault>>;
  models: ModelDoor;
  router: RouterDoor;
  memory: MemoryDoor;
  /** What keeps a result from being accepted by the task's own gates; empty when nothing does. */
  judge(
    task: TaskExecution,
    completed: { result: unknown; quality_assessment: { overall_score: number } },
  ): Fault[];
  /** How good an output is, and what is wrong with it. */
  assess(question: QualityQuestion): Assessment;
  /** Puts a task to a model. */
  assist(parts: BriefParts): ModelBrief;
}
