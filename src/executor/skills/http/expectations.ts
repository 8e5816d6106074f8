import * as z from "zod";

import { ok, refuse } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import { Searches } from "../../../lib/searches.ts";
import type { HttpAnswer, HttpFault, JsonValue } from "../skill.ts";
import { assertionSchema, patternSchema, searchedIn, shown, unmet } from "./assertions.ts";
import type { Unmet } from "./assertions.ts";
import { schemaJudge } from "./schema-judge.ts";
import { filledJson, variablesIn } from "./template.ts";
import type { Variables } from "./template.ts";

const classSchema = z.string().regex(/^[1-5]xx$/, "must be a class such as 2xx");
const statusSchema = z.union([z.int().min(100).max(599), classSchema]);
const textSchema = z.string().min(1).max(1_000);

/** A JSON Schema that can be used. */
export const jsonSchemaSchema = z
  .union([z.boolean(), z.record(z.string(), z.json())])
  .superRefine((schema, context) => {
    const judge = schemaJudge(schema);
    if (!judge.ok)
      context.addIssue({ code: "custom", message: `is no usable schema: ${judge.refusal}` });
  });

/** What an answer must be; a status below 400 when nothing is said of it. */
export const expectationSchema = z.strictObject({
  status: z.union([statusSchema, z.array(statusSchema).min(1).max(20)]).optional(),
  max_latency_ms: z.int().min(1).max(60_000).optional(),
  headers: z
    .record(
      z.string(),
      z.union([
        z.string(),
        z.strictObject({ matches: patternSchema }),
        z.strictObject({ contains: textSchema }),
        z.strictObject({ exists: z.boolean() }),
      ]),
    )
    .optional(),
  contains: z.union([textSchema, z.array(textSchema).max(20)]).optional(),
  matches: patternSchema.optional(),
  json: z.array(assertionSchema).max(50).optional(),
  schema: jsonSchemaSchema.optional(),
});
export type Expectation = z.infer<typeof expectationSchema>;

/**
 * An expectation with its variables in place, judged anew: a value from an answer can make a pattern unusable.
 */
export function filledExpectation(
  form: Expectation,
  variables: Variables,
): Result<Expectation, string> {
  // What was left out stands as undefined in what zod gives, and is nothing in JSON.
  const plain = z.record(z.string(), z.json()).parse(JSON.parse(JSON.stringify(form)));
  if (variablesIn(plain).length === 0) return ok(form);
  const parsed = expectationSchema.safeParse(filledJson(plain, variables));
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  return refuse(`expect/${issue?.path.join("/") ?? ""} ${issue?.message ?? "cannot be used"}`);
}

/** What an answer lacks of what was expected; empty when it is all there. */
export function unmetBy(expect: Expectation, answer: HttpAnswer): Unmet[] {
  const searches = new Searches();
  return [
    ...statusUnmet(expect.status, answer.status),
    ...latencyUnmet(expect.max_latency_ms, answer.duration_ms),
    ...headersUnmet(expect.headers ?? {}, answer.headers, searches),
    ...textUnmet(expect, answer, searches),
    ...documentUnmet(expect, answer, searches),
  ];
}

/** A failure to get an answer at all, as something that did not hold. */
export function faultUnmet({ class: cause, detail }: HttpFault): Unmet {
  return { path: "request", expected: "an answer", received: `${cause}: ${detail}` };
}

function statusUnmet(expected: Expectation["status"], status: number): Unmet[] {
  const wanted = expected === undefined ? ["2xx", "3xx"] : [expected].flat();
  const isMet = wanted.some((one) =>
    typeof one === "number" ? one === status : one.startsWith(String(Math.floor(status / 100))),
  );
  return isMet ? [] : [{ path: "status", expected: wanted.join(" or "), received: String(status) }];
}

function latencyUnmet(most: number | undefined, duration_ms: number): Unmet[] {
  return most === undefined || duration_ms <= most
    ? []
    : [{ path: "latency_ms", expected: `at most ${most}`, received: String(duration_ms) }];
}

/** Answers set these for whoever asked; they are credentials. */
const SECRET_ANSWERS = /^(set-cookie|www-authenticate|authorization)$/;

function headersUnmet(
  expected: NonNullable<Expectation["headers"]>,
  headers: HttpAnswer["headers"],
  searches: Searches,
): Unmet[] {
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const lower = name.toLowerCase();
    const found = Object.hasOwn(headers, lower) ? headers[lower] : undefined;
    const told = headerUnmet(wanted, found, searches);
    if (told === null) return [];
    const isSecret = SECRET_ANSWERS.test(lower) && found !== undefined;
    const received = isSecret ? "[redacted]" : told;
    return [{ path: `headers.${lower}`, expected: shown(wanted), received }];
  });
}

/** What a header is instead of what was wanted; null when it is that. */
function headerUnmet(
  wanted: NonNullable<Expectation["headers"]>[string],
  found: string | undefined,
  searches: Searches,
): string | null {
  if (typeof wanted === "object" && "matches" in wanted && found !== undefined) {
    const searched = searches.search(wanted.matches, found);
    return searched.isFound ? null : searchedIn(found, searched);
  }
  return isHeaderMet(wanted, found) ? null : shown(found);
}

function isHeaderMet(
  wanted: NonNullable<Expectation["headers"]>[string],
  found: string | undefined,
): boolean {
  if (typeof wanted === "string") return found === wanted;
  if ("exists" in wanted) return (found !== undefined) === wanted.exists;
  return found !== undefined && "contains" in wanted && found.includes(wanted.contains);
}

function textUnmet(
  { contains, matches }: Expectation,
  { text, bytes, is_cut }: HttpAnswer,
  searches: Searches,
): Unmet[] {
  const missing = [contains ?? []].flat().filter((part) => !text.includes(part));
  const seen = is_cut ? `the first ${bytes} bytes: ` : "";
  const received = `${seen}${shown(text)}`;
  const searched =
    matches === undefined ? { isFound: true as const } : searches.search(matches, text);
  return [
    ...missing.map((part) => ({ path: "body", expected: `contains ${shown(part)}`, received })),
    ...(searched.isFound
      ? []
      : [
          {
            path: "body",
            expected: `matches ${shown(matches)}`,
            received: `${seen}${searchedIn(text, searched)}`,
          },
        ]),
  ];
}

function documentUnmet(
  { json = [], schema }: Expectation,
  answer: HttpAnswer,
  searches: Searches,
): Unmet[] {
  if (json.length === 0 && schema === undefined) return [];
  const read = documentOf(answer);
  if (!read.ok) return [{ path: "$", expected: "a JSON document", received: read.refusal }];
  const judge = schema === undefined ? null : schemaJudge(schema);
  return [
    ...json.flatMap((assertion) => unmet(assertion, read.value, searches) ?? []),
    ...(judge?.ok === true ? judge.value.judge(read.value) : []),
  ];
}

/** An answer's body as JSON, or what it is instead. */
export function documentOf({ text, bytes, is_cut }: HttpAnswer): Result<JsonValue, string> {
  if (is_cut) return refuse(`a body cut after ${bytes} bytes`);
  try {
    return ok(z.json().parse(JSON.parse(text)));
  } catch {
    return refuse(text === "" ? "an empty body" : shown(text));
  }
}
