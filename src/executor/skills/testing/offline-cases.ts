import { Searches } from "../../../lib/searches.ts";
import { unmet, shown } from "../http/assertions.ts";
import { schemaJudge } from "../http/schema-judge.ts";
import type { DocumentCase, TestInput } from "./parameters.ts";
import { caseReport, type CaseReport } from "./report.ts";

/** The documents of an input, the single one among them. */
export function documentsOf({ documents = [], json, assertions }: TestInput): DocumentCase[] {
  return json === undefined || assertions === undefined
    ? documents
    : [...documents, { json, assertions }];
}

/** Judges documents by their assertions: a test each. */
export function judgeDocuments(documents: readonly DocumentCase[]): CaseReport[] {
  const searches = new Searches();
  return documents.map(({ name = "json", json, assertions }, index) => {
    const failures = assertions.flatMap((assertion) => unmet(assertion, json, searches) ?? []);
    const isAlone = documents.length === 1 || name !== "json";
    return caseReport(
      { group: "json", name: isAlone ? name : `json ${index + 1}`, duration_ms: 0 },
      failures,
    );
  });
}

/** Judges a schema by its examples: the valid ones must pass, and each invalid one must not. */
export function judgeExamples({ schema, valid, invalid }: TestInput): CaseReport[] {
  if (schema === undefined) return [];
  const judge = schemaJudge(schema);
  // The input's own schema has tried it.
  if (!judge.ok) return [];
  const at = (name: string) => ({ group: "schema" as const, name, duration_ms: 0 });
  return [
    ...valid.map((example, index) =>
      caseReport(at(`valid ${index + 1}`), judge.value.judge(example)),
    ),
    ...invalid.map((example, index) => {
      const isRefused = judge.value.judge(example).length > 0;
      const failure = { path: "$", expected: "to break the schema", received: shown(example) };
      return caseReport(at(`invalid ${index + 1}`), isRefused ? [] : [failure]);
    }),
  ];
}
