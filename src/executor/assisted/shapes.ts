import type { TaskType } from "../../protocol/enums.ts";
import type { JsonObject, JsonValue } from "../skills/skill.ts";

const TEXT: JsonObject = { type: "string", minLength: 1 };
const TEXTS: JsonObject = { type: "array", items: { type: "string" } };
const SHARE: JsonObject = { type: "number", minimum: 0, maximum: 1 };

function object(required: readonly string[], properties: JsonObject): JsonObject {
  return { type: "object", required: [...required], properties, additionalProperties: false };
}

function list(items: JsonObject, minItems = 0): JsonObject {
  return { type: "array", items, minItems };
}

const FILES = list(
  object(["path", "language", "content"], { path: TEXT, language: TEXT, content: TEXT }),
  1,
);

/** What the result of each type looks like when its contract does not say. */
const SHAPES: Readonly<Record<TaskType, JsonObject>> = {
  code_generation: object(["files", "explanation"], {
    files: FILES,
    explanation: TEXT,
    tests: FILES,
  }),
  code_debugging: object(["diagnosis", "root_cause", "fix", "verification", "confidence"], {
    diagnosis: TEXT,
    root_cause: TEXT,
    fix: {
      type: "object",
      properties: { patch: { ...TEXT, description: "Unified diff." }, files: FILES },
      additionalProperties: false,
      minProperties: 1,
    },
    verification: { ...TEXT, description: "A test, or how to see that it works." },
    confidence: SHARE,
  }),
  data_analysis: object(["findings", "answer"], {
    answer: TEXT,
    findings: list(object(["text"], { text: TEXT, columns: TEXTS, evidence: TEXT }), 1),
    caveats: TEXTS,
    recommendations: TEXTS,
  }),
  documentation: object(["markdown"], { markdown: TEXT }),
  testing: object(["files", "cases"], {
    files: FILES,
    cases: list(object(["title", "expected"], { title: TEXT, expected: TEXT }), 1),
    explanation: TEXT,
  }),
  deployment: object(["steps", "verification", "rollback"], {
    prerequisites: TEXTS,
    steps: list(
      object(["action"], {
        action: TEXT,
        command: { type: "string" },
        expected: { type: "string" },
      }),
      1,
    ),
    verification: TEXTS,
    rollback: TEXTS,
    risks: TEXTS,
  }),
  configuration: object(["files", "explanation"], { files: FILES, explanation: TEXT }),
  monitoring: object(["status", "observations", "recommendations"], {
    status: { enum: ["healthy", "degraded", "down", "unknown"] },
    observations: list(
      object(["target", "text"], { target: TEXT, text: TEXT, latency_ms: { type: "number" } }),
      1,
    ),
    thresholds: TEXTS,
    recommendations: TEXTS,
  }),
  research: object(["answer", "citations"], {
    answer: TEXT,
    citations: list(object(["document_id", "quote"], { document_id: TEXT, quote: TEXT })),
    open_questions: TEXTS,
  }),
  general: object(["answer"], { answer: TEXT }),
};

/** The schema of a type's results, for tasks whose contract has none. */
export function shapeOf(task_type: TaskType): JsonObject {
  return SHAPES[task_type];
}

/** Members whose values are schemas by name, and those whose values are no schemas at all. */
const NAMED = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);
const OPAQUE = new Set(["const", "enum", "default", "examples", "required"]);

/** References of a schema that is moved below `at` still lead to where they did. One with an `$id` needs no help. */
function moved(schema: JsonValue, at: string, isNames = false): JsonValue {
  if (schema === null || typeof schema !== "object") return schema;
  if (Array.isArray(schema)) return (schema as JsonValue[]).map((item) => moved(item, at));
  return Object.fromEntries(
    Object.entries(schema as JsonObject).map(([key, value]): [string, JsonValue] => {
      if (isNames) return [key, moved(value, at)];
      if (OPAQUE.has(key)) return [key, value];
      const isLocal = key === "$ref" && typeof value === "string" && /^#(?:\/|$)/.test(value);
      if (isLocal) return [key, `${at}${value.slice(1)}`];
      return [key, moved(value, at, NAMED.has(key))];
    }),
  );
}

/** The whole answer of a model: the task's result and what goes with it. */
export function answerSchema(result: JsonObject): JsonObject {
  const inner = Object.hasOwn(result, "$id") ? result : moved(result, "#/properties/result");
  return {
    type: "object",
    required: ["result", "summary"],
    properties: {
      result: inner,
      summary: {
        type: "string",
        description: "What was done and found, in one to three sentences.",
      },
      next_steps: { ...TEXTS, description: "What the reader should do next; may be empty." },
      lessons_learned: {
        ...TEXTS,
        description: "What would help with similar tasks; may be empty.",
      },
    },
    additionalProperties: false,
  };
}
