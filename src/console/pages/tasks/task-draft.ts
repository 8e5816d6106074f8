import { isRecord } from "../../lib/shape.ts";

/** What the form holds, all as text. */
export interface Draft {
  description: string;
  task_type: string;
  priority: string;
  timeout: string;
  inputKind: "none" | "text" | "csv" | "json";
  input: string;
  task_id: string;
  tags: string;
}

/** An empty form. */
export const EMPTY_DRAFT: Draft = {
  description: "",
  task_type: "general",
  priority: "normal",
  timeout: "",
  inputKind: "none",
  input: "",
  task_id: "",
  tags: "",
};

function inputOf({ inputKind, input }: Draft): Record<string, unknown> | null {
  if (inputKind !== "json") return { [inputKind]: input };
  try {
    const parsed: unknown = JSON.parse(input);
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** The request of a form (POST /v1/tasks); null where its input is no JSON object. The server judges the rest. */
export function requestOf(draft: Draft): Record<string, unknown> | null {
  const input_data = draft.inputKind === "none" ? undefined : inputOf(draft);
  if (input_data === null) return null;
  const tags = draft.tags
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  const timeout = draft.timeout.trim();
  return {
    description: draft.description.trim(),
    task_type: draft.task_type,
    priority: draft.priority,
    ...(timeout !== "" && { timeout: Number(timeout) }),
    ...(draft.task_id.trim() !== "" && { task_id: draft.task_id.trim() }),
    ...(tags.length > 0 && { tags }),
    ...(input_data !== undefined && { parameters: { input_data } }),
  };
}
