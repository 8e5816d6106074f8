import { declaredNames, maskedPointer } from "../../protocol/declared-names.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { LONGEST_NAME, MOST_NAMED } from "../../protocol/validation-record.ts";
import { VERSION_HEADER } from "../../protocol/versions.ts";
import type { Route } from "../route.ts";
import type { ValidationDetail } from "../validation-port.ts";

/** What can be told of a message. */
interface Told {
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  /** Whether a header came. */
  hasHeader: (name: string) => boolean;
  body: unknown;
  refusal: Pick<Refusal, "errors"> | undefined;
  warnings: readonly string[];
}

type Parts = Pick<Route, "params" | "query" | "headers" | "body">;

function namesOf(part: Parts["params"] | Parts["body"]) {
  return part === undefined
    ? { top: new Set<string>(), all: new Set<string>() }
    : declaredNames(part);
}

function presentIn(value: unknown, names: ReadonlySet<string>): string[] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [];
  return [...names].filter((name) => Object.hasOwn(value, name));
}

/**
 * What a record tells of a message: which of the fields that its route declares were there, and where its faults lie.
 * Never a value, and no name but those that are declared.
 */
export function detailOf(route: Parts, told: Told): ValidationDetail {
  const [params, query, headers, body] = [
    namesOf(route.params),
    namesOf(route.query),
    namesOf(route.headers),
    namesOf(route.body),
  ];
  const fields = [
    ...presentIn(told.params, params.top).map((name) => `/path/${name}`),
    ...presentIn(told.query, query.top).map((name) => `/query/${name}`),
    ...[...headers.top, VERSION_HEADER].filter(told.hasHeader).map((name) => `/headers/${name}`),
    ...presentIn(told.body, body.top).map((name) => `/${name}`),
  ];
  const declared = new Set(["path", "query", "headers", VERSION_HEADER]);
  for (const { all } of [params, query, headers, body]) for (const name of all) declared.add(name);
  const faults = told.refusal?.errors ?? [];
  return {
    fields: fields.slice(0, MOST_NAMED.fields),
    unknown_fields: faults.filter(({ code }) => code === "unrecognized_keys").length,
    errors: faults.slice(0, MOST_NAMED.errors).map(({ pointer, code }) => ({
      pointer: maskedPointer(pointer, declared).slice(0, LONGEST_NAME),
      code: code.slice(0, LONGEST_NAME),
    })),
    faults: faults.length,
    warnings: told.warnings
      .slice(0, MOST_NAMED.warnings)
      .map((warning) => warning.slice(0, LONGEST_NAME)),
  };
}
