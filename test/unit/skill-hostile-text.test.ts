import { describe, expect, it } from "vitest";

import { codeDebugging } from "../../src/executor/skills/code-debugging.ts";
import { documentation } from "../../src/executor/skills/documentation.ts";
import type { JsonObject, PureSkill } from "../../src/executor/skills/skill.ts";
import { runSkill } from "./skill-run.ts";

/** What the HTTP face lets in, in characters. */
const LARGEST = 1_000_000;
/** A Worker's own time for a request is 30 s; a test machine is several times slower when all tests run at once. */
const TIMEOUT_MS = 20_000;

function filledWith(unit: string): string {
  return unit.repeat(Math.floor(LARGEST / unit.length));
}

/** Pieces that made, or could make, a reader go over the rest of the text again at each of them. */
const CODE = ["/[", "</", "`${", '"', "'", "{", "(", "<", "/** @", "export type A=A<", "a?b:"];

function endsFor(
  skill: PureSkill,
  units: readonly string[],
  inputOf: (text: string) => JsonObject,
) {
  it.each(units)(`${skill.task_type} reads 1 MB of %j`, { timeout: TIMEOUT_MS }, (unit) => {
    const { outcome } = runSkill(skill, inputOf(filledWith(unit)));

    expect(JSON.stringify(outcome).length).toBeLessThan(LARGEST);
  });
}

describe("a text made to be slow ends in seconds", () => {
  endsFor(documentation, CODE, (text) => ({ typescript: `export const a = ${text}` }));
  endsFor(codeDebugging, CODE, (text) => ({ text: `a = ${text}`, name: "a.ts" }));
});
