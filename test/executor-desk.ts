import type { BriefParts } from "../src/executor/assisted/brief.ts";
import type {
  MemoryDoor,
  RecalledMemory,
  RecallQuestion,
} from "../src/executor/memory/memory-port.ts";
import type {
  ModelAnswer,
  ModelDoor,
  ModelFault,
  ModelRequest,
} from "../src/executor/models/model-port.ts";
import type { ExecutorPorts } from "../src/executor/ports.ts";
import type {
  ModelOutcome,
  NoModel,
  RouterDoor,
  RoutingQuestion,
} from "../src/executor/router/router-port.ts";
import { ok, refuse } from "../src/lib/result.ts";
import type { Result } from "../src/lib/result.ts";
import type { AgentEndTask } from "../src/protocol/agent-end-task.ts";
import type { Heartbeat } from "../src/protocol/agent.ts";
import type { CatalogueModel } from "../src/protocol/model.ts";
import { catalogueModelSchema } from "../src/protocol/model.ts";
import type { Notification } from "../src/protocol/notification.ts";
import { taskExecutionSchema } from "../src/protocol/task-execution.ts";
import { resultFaults } from "../src/task/machine/gates.ts";

/* The doors of the built-in executor as a test opens them, with all that goes through them. */

export const MESSAGE = { tenant: "t", pool: "default", task_id: "task-1" };

/** A task as JSON, as its executor receives it. */
export function taskText(task: Record<string, unknown>, checkpoint: unknown = null, attempt = 1) {
  return JSON.stringify({
    ...taskExecutionSchema.parse({ description: "a task for the engine", ...task }),
    task_id: "task-1",
    stall_timeout: 300,
    checkpoint,
    attempt,
  });
}

/** A model of the catalogue. */
export function model(model_id: string, more: Partial<CatalogueModel> = {}): CatalogueModel {
  return catalogueModelSchema.parse({
    model_id,
    provider: "openai_compatible",
    name: model_id,
    base_url: "http://127.0.0.1/v1",
    locality: "api",
    capabilities: ["text", "json"],
    context_tokens: 32_000,
    price: { input_usd_per_mtok: 1, output_usd_per_mtok: 2 },
    has_api_key: false,
    source: "api",
    updated_at: null,
    ...more,
  });
}

const USAGE = { input_tokens: 100, output_tokens: 50, cost_usd: 0.001 };

/** An answer of a model whose text says how good it is: `{"score": 0.9}`. */
export function answer(score: number, more: Partial<ModelAnswer> = {}): Answered {
  return ok({
    text: JSON.stringify({ score }),
    value: { score },
    finish_reason: "stop",
    usage: USAGE,
    duration_ms: 10,
    tools_called: [],
    ...more,
  });
}

export function fault(kind: ModelFault["class"], more: Partial<ModelFault> = {}): Answered {
  return refuse({
    class: kind,
    detail: `it is ${kind}`,
    status: null,
    retry_after_ms: null,
    usage: { input_tokens: 0, output_tokens: 0, cost_usd: 0 },
    duration_ms: 1,
    text: null,
    ...more,
  });
}

type Answered = Result<ModelAnswer, ModelFault>;
export type Script = (request: ModelRequest, calls: number) => Answered | Promise<Answered>;

/** Models that answer by a script, and the requests that they got. */
export function scripted(
  models: CatalogueModel[],
  script: Script,
): ModelDoor & { asked: ModelRequest[] } {
  const asked: ModelRequest[] = [];
  return {
    asked,
    catalogue: async () => models,
    generate: async (_tenant, request) => script(request, asked.push(request)),
  };
}

/** Takes the first model that is left: by the order of the catalogue, above the tier, not tried, not avoided. */
export function firstFit(): RouterDoor & {
  questions: RoutingQuestion[];
  learned: ModelOutcome[];
} {
  const questions: RoutingQuestion[] = [];
  const learned: ModelOutcome[] = [];
  return {
    questions,
    learned,
    choose: async (_tenant, question) => {
      questions.push(question);
      const { decision_id, models, excluded, above_tier, avoided, builtin_lack } = question;
      const left = models.filter(
        ({ model_id, tier }) =>
          !excluded.includes(model_id) &&
          tier > (above_tier ?? 0) &&
          !avoided.some((known) => known.model_id === model_id),
      );
      const model_id =
        left[0]?.model_id ??
        (builtin_lack === null && !excluded.includes("builtin") ? "builtin" : undefined);
      const none: NoModel = {
        decision_id,
        removed: models.map((one) => ({
          model_id: one.model_id,
          filter: "excluded",
          reason: "was tried",
        })),
        record: {},
      };
      return model_id === undefined
        ? refuse(none)
        : ok({ decision_id, model_id, band: "low", reasons: ["the first that fits"], record: {} });
    },
    learn: async (_tenant, outcome) => void learned.push(outcome),
  };
}

/** A memory that knows what a test says, and what it was told. */
export function remembering(memories: RecalledMemory[] = []): MemoryDoor & {
  questions: RecallQuestion[];
  stored: Map<string, string>;
} {
  const questions: RecallQuestion[] = [];
  const stored = new Map<string, string>();
  return {
    questions,
    stored,
    recall: async (_tenant, question) => {
      questions.push(question);
      return memories;
    },
    cached: async (_tenant, key) => {
      const text = stored.get(key);
      return text === undefined ? null : JSON.parse(text);
    },
    cache: async (_tenant, key, result) => void stored.set(key, JSON.stringify(result)),
  };
}

/** Asks in the plainest words, and reads whatever is JSON. */
function assist({ task, findings, previous }: BriefParts): ReturnType<ExecutorPorts["assist"]> {
  return {
    request: {
      system: "Do the task.",
      turns: [
        { role: "user", text: JSON.stringify([task, findings.map(({ code }) => code), previous]) },
      ],
      output_schema: null,
      tools: [],
      max_tool_rounds: 0,
      max_output_tokens: 1_000,
      temperature: 0,
    },
    read: ({ value, text }) =>
      value === null
        ? refuse([
            {
              check: "syntactic",
              code: "not_json",
              location: "/",
              detail: text,
              is_blocking: true,
            },
          ])
        : ok({ output: value, summary: "answered", next_steps: [], lessons_learned: [] }),
  };
}

/** A skill's own figures; an answer is as good as it says of itself. */
function assess({ measured, output }: Parameters<ExecutorPorts["assess"]>[0]) {
  const said =
    output !== null && typeof output === "object" && "score" in output ? output["score"] : 1;
  const overall_score = typeof said === "number" ? said : 1;
  const criteria_scores = {
    correctness: overall_score,
    completeness: overall_score,
    efficiency: overall_score,
    maintainability: overall_score,
  };
  const quality = measured ?? { overall_score, criteria_scores, feedback: "by itself" };
  return { ...quality, findings: [], parts: { syntactic: 1, semantic: 1, domain: 1 } };
}

export interface Desk extends ExecutorPorts {
  said: Notification[];
  ends: AgentEndTask[];
  beats: Heartbeat[];
}

/** What the first attempt of a test holds. */
export const LEASE = { token: "token", attempt: 1, expires_at: "2026-11-22T10:01:00.000Z" };

/** The doors of an executor without models. Each look at the clock takes a tenth of a second, each wait its time. */
export function desk(task: Record<string, unknown>, more: Partial<ExecutorPorts> = {}): Desk {
  const said: Notification[] = [];
  const ends: AgentEndTask[] = [];
  const beats: Heartbeat[] = [];
  let clock = Date.parse("2026-11-22T10:00:00Z");
  return {
    said,
    ends,
    beats,
    now: () => (clock += 100),
    log: () => undefined,
    sleep: async (ms) => {
      clock += ms;
      // Whatever is ready without waiting comes before the end of the wait.
      await new Promise((resolve) => setTimeout(resolve, 0));
    },
    take: async () => ok({ task: taskText(task), lease: LEASE }),
    notify: async (_to, notification) => ok(said.push(notification)),
    heartbeat: async (_to, beat) => {
      beats.push(beat);
      return ok({ commands: [] });
    },
    end: async (_to, end) => ok(ends.push(end)),
    fetchInput: async () => ok({ csv: "a,b\n1,2\n2,4\n3,6\n" }),
    http: async () => refuse({ class: "network", detail: "no network", duration_ms: 0 }),
    models: scripted([], () => fault("unavailable")),
    router: firstFit(),
    memory: remembering(),
    judge: resultFaults,
    assess,
    assist,
    ...more,
  };
}

export function typesOf({ said }: Desk): string[] {
  return said.map(({ notification_type }) => notification_type);
}

/** What the progress of a kind carried, in order: `quality_round` or `model_decision`. */
export function found({ said }: Desk, kind: string): Record<string, unknown>[] {
  return said.flatMap((one) => {
    if (one.notification_type !== "task_progress") return [];
    const { intermediate_results: results } = one.data;
    return results !== undefined && !Array.isArray(results) && kind in results ? [results] : [];
  });
}

/** A task that the executor can do by itself. */
export const TABLE = {
  task_type: "data_analysis",
  parameters: { input_data: { csv: "a,b\n1,2\n2,4\n3,5\n" } },
};

/** A task that needs a model, and two of them. */
export const ASKED = { task_type: "code_debugging", description: "Why does this program stop?" };
export const SMALL = model("small", { tier: 2 });
const LARGE = model("large", { tier: 4 });

/** The doors of an executor whose models answer by a script. */
export function withModels(
  script: Script,
  task: Record<string, unknown> = ASKED,
  models = [SMALL, LARGE],
) {
  const router = firstFit();
  const door = scripted(models, script);
  return { ...desk(task, { models: door, router }), router, models: door };
}
