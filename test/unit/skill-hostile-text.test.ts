import { describe, expect, it } from "vitest";

import { codeDebugging } from "../../src/executor/skills/code-debugging.ts";
import { documentation } from "../../src/executor/skills/documentation.ts";
import { general } from "../../src/executor/skills/general.ts";
import { research } from "../../src/executor/skills/research.ts";
import type { JsonObject, PureSkill } from "../../src/executor/skills/skill.ts";
import { runSkill } from "./skill-run.ts";

/** What the HTTP face lets in, in characters. */
const LARGEST = 1_000_000;
/** A Worker's own time for a request is 30 s; a test machine is several times slower when all tests run at once. */
const TIMEOUT_MS = 20_000;

function filledWith(unit: string): string {
  return unit.repeat(Math.floor(LARGEST / unit.length));
}

/** Prose costs more for each character, and half of the text shows what grows with its square as well. */
function half(text: string): string {
  return text.slice(0, LARGEST / 2);
}

/** Pieces that made, or could make, a reader go over the rest of the text again at each of them. */
const CODE = ["/[", "</", "`${", '"', "{", "<", "a?b:"];

const PROSE = ["Dr. ", "a?", "# a\n\n", "ab cd "];

function endsFor(
  skill: PureSkill,
  units: readonly string[],
  inputOf: (text: string) => JsonObject,
) {
  it.each(units)(
    `${skill.task_type} ends when it is given only %j`,
    { timeout: TIMEOUT_MS },
    (unit) => {
      const { outcome } = runSkill(skill, inputOf(filledWith(unit)));

      expect(JSON.stringify(outcome).length).toBeLessThan(LARGEST);
    },
  );
}

describe("a text made to be slow ends in seconds", () => {
  endsFor(documentation, CODE, (text) => ({ typescript: `export const a = ${text}` }));
  endsFor(codeDebugging, CODE, (text) => ({ text: `a = ${text}`, name: "a.ts" }));
  endsFor(general, PROSE, (text) => ({ text: half(text) }));
  endsFor(research, PROSE, (text) => ({ text: `This is for the weekly report. ${half(text)}` }));
});
