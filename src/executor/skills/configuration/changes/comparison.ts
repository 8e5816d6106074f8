import { ok } from "../../../../lib/result.ts";
import { isSame, leavesOf, typeOf, valueAt } from "../../formats/json-value.ts";
import { refuseInput } from "../../input-failure.ts";
import { progressAt } from "../../progress.ts";
import { partOf, qualityOf } from "../../score.ts";
import type { PureRun, SkillResult } from "../../skill.ts";
import { readAll, type ConfigurationDocument, type GivenDocument } from "../documents.ts";
import { isSecret, masked } from "../secrets.ts";
import { applyPatch, difference, type Change } from "./json-patch.ts";

const STEPS = ["Reading both documents", "Comparing them", "Applying the patch to prove it"];
const MAX_LISTED = 500;
/** What applyPatch takes. */
const MOST_PROVEN = 1_000;

/**
 * Compares two documents: the patch (RFC 6902) from the first to the second, and a table of changes.
 *
 * Secrets are "***" in both, and `patch_complete` is false then, unless `include_secrets` leaves them in the patch.
 *
 * Quality: correctness 1 when the patch applied to the first document gives the second; completeness: share of changes
 * that are listed; maintainability: share of changes that keep the type.
 */
export function* compareDocuments(
  given: readonly GivenDocument[],
  includeSecrets: boolean,
): PureRun {
  yield progressAt(STEPS, 0);
  const read = readAll(given);
  if (!read.ok) return read;
  const [before, after, ...others] = read.value;
  if (before === undefined || after === undefined || others.length > 0) {
    return refuseInput(
      "two_documents_needed",
      "A diff compares exactly two documents.",
      `There are ${read.value.length}.`,
      ["Give the old and the new document, in this order."],
    );
  }
  yield progressAt(STEPS, 1);
  const changes = difference(before.value, after.value);
  yield progressAt(STEPS, 2, { changes: changes.length });
  const operations = changes.map((change) => ({ ...change }));
  const applied = operations.length > MOST_PROVEN ? null : applyPatch(before.value, operations);
  const proof = applied === null ? null : applied.ok && isSame(applied.value, after.value);
  return ok(resultOf({ before, after }, changes, { proof, includeSecrets }));
}

interface Compared {
  before: ConfigurationDocument;
  after: ConfigurationDocument;
}

function resultOf(
  { before, after }: Compared,
  changes: readonly Change[],
  { proof, includeSecrets }: { proof: boolean | null; includeSecrets: boolean },
): SkillResult {
  const table = changes.slice(0, MAX_LISTED).map((change) => rowOf(change, { before, after }));
  const patch = changes
    .slice(0, MAX_LISTED)
    .map((change) => (includeSecrets ? { ...change } : maskedChange(change)));
  const retyped = table.filter(({ type_change }) => type_change !== null);
  const counts = { added: 0, removed: 0, changed: 0 };
  for (const { op } of changes) counts[KINDS[op]] += 1;
  return {
    output: {
      operation: "diff",
      identical: changes.length === 0,
      changes: table,
      changes_left_out: changes.length - table.length,
      counts,
      patch,
      patch_complete: changes.every((change, at) => isSame({ ...change }, patch[at])),
      patch_proven: proof,
    },
    summary:
      changes.length === 0
        ? `${before.name} and ${after.name} hold the same.`
        : `From ${before.name} to ${after.name}: ${counts.added} added, ${counts.removed} removed, ${counts.changed} changed.`,
    quality: qualityOf(
      {
        correctness: proof === false ? 0 : 1,
        completeness: partOf(table.length, changes.length),
        efficiency: partOf(leavesOf(after.value).size, changes.length),
        maintainability: partOf(table.length - retyped.length, table.length),
      },
      proof === true
        ? "The patch applied to the first document gives the second."
        : `The patch was not applied as a proof: it has more than ${MOST_PROVEN} operations.`,
    ),
    next_steps: retyped
      .slice(0, 5)
      .map(({ pointer, type_change }) => `Check ${pointer}: its type changes, ${type_change}.`),
    lessons_learned: [],
  };
}

const KINDS = { add: "added", remove: "removed", replace: "changed" } as const;

function maskedChange(change: Change): Change {
  if (change.op === "remove") return change;
  return { ...change, value: masked(change.value, change.path) };
}

function rowOf(change: Change, { before, after }: Compared) {
  const { path, op } = change;
  const old = op === "add" ? undefined : valueAt(before.value, path);
  const now = op === "remove" ? undefined : change.value;
  const source = op === "remove" ? before : after;
  const isRetyped = op === "replace" && typeOf(old) !== typeOf(now);
  return {
    kind: KINDS[op],
    pointer: path,
    before: masked(old ?? null, path),
    after: masked(now ?? null, path),
    secret: isSecret(path, old) || isSecret(path, now),
    line: source.places?.(path, "value").line ?? null,
    type_change: isRetyped ? `${typeOf(old)} to ${typeOf(now)}` : null,
  };
}
