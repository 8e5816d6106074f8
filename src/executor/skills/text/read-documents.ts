import { ok, type Result } from "../../../lib/result.ts";
import { refuseInput } from "../input-failure.ts";
import type { JsonObject, JsonValue, SkillFailure } from "../skill.ts";

/** A text and the name it is quoted by. */
export interface SourceDocument {
  id: string;
  title?: string;
  text: string;
}

/** The body limit of the HTTP face (protocol.md §7), kept for text that the engine fetched. */
const MAX_CHARACTERS = 1_048_576;
const MAX_DOCUMENTS = 500;

const HOW_TO_GIVE = [
  'Give the text in parameters.input_data.text: {"text": "…"}.',
  'Or several in parameters.input_data.documents: {"documents": [{"id": "a", "text": "…"}]}.',
];

/** About how many characters `readDocuments` would read, without reading. */
export function sizeOfDocuments({ text, documents }: JsonObject): number {
  if (typeof text === "string") return text.length;
  return documents === undefined ? 0 : JSON.stringify(documents).length;
}

/**
 * Reads the text of a general or research task: `text`, or `documents` of `{id, text, title}`. A single text is called "text".
 *
 * Refuses with the class missing_input, empty_input, invalid_input or input_too_large.
 */
export function readDocuments(input: JsonObject): Result<SourceDocument[], SkillFailure> {
  const { text, documents } = input as { [key: string]: JsonValue | undefined };
  if (text === undefined && documents === undefined) {
    const keys = Object.keys(input).slice(0, 10).join(", ");
    return refuseInput(
      "missing_input",
      "The task brings no text: sam works on given text and needs input_data.text or input_data.documents.",
      keys === "" ? "input_data has no fields." : `input_data has only the fields ${keys}.`,
      HOW_TO_GIVE,
    );
  }
  const read = text === undefined ? readList(documents) : readText(text);
  if (!read.ok) return read;
  const size = read.value.reduce((sum, document) => sum + document.text.length, 0);
  if (size > MAX_CHARACTERS) {
    return refuseInput(
      "input_too_large",
      `The text is longer than the built-in executor reads: the limit is ${MAX_CHARACTERS} characters.`,
      `${size} characters were given.`,
      ["Split the text over several tasks.", "Register an external executor for longer texts."],
    );
  }
  if (!read.value.some((document) => /\p{L}/u.test(document.text))) {
    return refuseInput(
      "empty_input",
      "The given text has no words.",
      `${size} characters without a letter.`,
      HOW_TO_GIVE,
    );
  }
  return read;
}

function readText(text: JsonValue): Result<SourceDocument[], SkillFailure> {
  if (typeof text === "string") return ok([{ id: "text", text }]);
  return refuseInvalid("input_data.text is not a string.", `It is of type ${typeof text}.`);
}

function readList(documents: JsonValue | undefined): Result<SourceDocument[], SkillFailure> {
  if (!Array.isArray(documents) || documents.length > MAX_DOCUMENTS) {
    return refuseInvalid(
      `input_data.documents must be an array of at most ${MAX_DOCUMENTS} documents.`,
      Array.isArray(documents)
        ? `It has ${documents.length}.`
        : `It is of type ${typeof documents}.`,
    );
  }
  const read: SourceDocument[] = [];
  for (const [index, document] of (documents as readonly JsonValue[]).entries()) {
    const source = readDocument(document, index);
    if (source === null) {
      return refuseInvalid(
        "Every entry of input_data.documents must be an object with a string text.",
        `Entry ${index + 1} is not.`,
      );
    }
    read.push(source);
  }
  return ok(read);
}

function readDocument(document: JsonValue, index: number): SourceDocument | null {
  if (document === null || typeof document !== "object" || Array.isArray(document)) return null;
  const { id, text, title } = document as { [key: string]: JsonValue | undefined };
  if (typeof text !== "string") return null;
  const isNamed = (typeof id === "string" && id !== "") || typeof id === "number";
  return {
    id: isNamed ? String(id).slice(0, 200) : `document ${index + 1}`,
    text,
    ...(typeof title === "string" ? { title: title.slice(0, 500) } : {}),
  };
}

function refuseInvalid(detail: string, evidence: string): { ok: false; refusal: SkillFailure } {
  return refuseInput("invalid_input", detail, evidence, HOW_TO_GIVE);
}
