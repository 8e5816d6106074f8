import { namedWords } from "../meaning/words.ts";
import {
  aboutIt,
  finished,
  form,
  has,
  longEnough,
  readable,
  shortEnough,
  signal,
  soundness,
  terse,
  type Scorer,
  type Signal,
  type View,
} from "./signals.ts";

const codeOf = ({ code }: View): string => code.map(({ text }) => text).join("\n");

const linesOf = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

function hasCode(view: View): Signal {
  return form(
    "no_code",
    linesOf(codeOf(view)).length > 0,
    "there is no code in a file, a patch or a fenced block",
  );
}

/** Bodies without work: a bare pass, an ellipsis, a throw of "not implemented". */
function worked(view: View): Signal {
  const hollow =
    codeOf(view).match(
      /^\s{0,80}(?:pass|\.\.\.|…|raise NotImplementedError\b.{0,80}|throw new Error\(["']not implemented["']\);?)\s*$/gim,
    ) ?? [];
  return signal("hollow_code", 1 - hollow.length / 2, "bodies of functions do nothing");
}

/** Lines that fit a screen, and nesting of five levels at most. */
function legible(view: View): Signal {
  const lines = linesOf(codeOf(view));
  const good = lines.filter((line) => line.length <= 120 && /^(?: {0,20}|\t{0,5})\S/.test(line));
  return signal(
    "unwieldy_code",
    lines.length === 0 ? 0 : good.length / lines.length,
    "lines are over 120 characters or nested deeper than five levels",
  );
}

/** A comment or docstring for each thirty lines of code; short code explains itself. */
function commented(view: View): Signal {
  const lines = linesOf(codeOf(view));
  const comments = lines.filter((line) => /^\s{0,40}(?:\/\/|#|\/?\*|--|"""|''')/.test(line)).length;
  const wanted = Math.floor(lines.length / 30);
  return signal("uncommented", wanted === 0 ? 1 : comments / wanted, "long code without comments");
}

/** Names that say something: three letters or more in the mean. */
function speaking(view: View): Signal {
  const names =
    codeOf(view).match(
      /(?<=\b(?:const|let|var|function|def|func|fn|class|type|interface)\s)[A-Za-z_]\w{0,60}/g,
    ) ?? [];
  const good = names.filter((name) => name.length >= 3);
  return signal(
    "short_names",
    names.length === 0 ? 1 : good.length / names.length,
    "names of one or two letters",
  );
}

/** A test, an example of use, or the explanation of one. */
const TESTED = {
  keys: "tests test example examples usage",
  words: /\b(?:expect|assert\w*|describe|it|test)\s?\(|\bdef test_|\bexample|\busage|\bejemplo/,
  say: "neither a test nor an example of use",
};

/**
 * Code that was written:
 *
 * - correctness: nothing broken or untrue, no placeholders, bodies that work
 * - completeness: there is code, it is about the request, it has a test or an example, it is explained (10 words)
 * - efficiency: no line twice, no more than 400 words around it
 * - maintainability: lines of 120 characters and five levels, comments, names that say something
 */
export const scoreGeneration: Scorer = (view) => ({
  correctness: [soundness(view), finished(view), worked(view), hasCode(view)],
  completeness: [hasCode(view), aboutIt(view), has(view, "untested", TESTED), longEnough(view, 10)],
  efficiency: [terse(view), shortEnough(view, 400)],
  maintainability: [legible(view), commented(view), speaking(view)],
});

/** Share of the words in error messages and code of the task that the diagnosis takes up. */
function refersToFault(view: View): Signal {
  const { input_data, description } = view.question;
  const given = new Set(
    (JSON.stringify(input_data) + description)
      .slice(0, 50_000)
      .match(
        /\b[A-Za-z_]\w{2,40}(?:Error|Exception)\b|\b[a-z]{1,20}[A-Z]\w{1,40}\b|\b[a-z]{2,20}_\w{2,40}\b|\b[\w-]{1,40}\.(?:ts|js|py|go|rs|java|rb)\b/g,
      ) ?? [],
  );
  if (given.size === 0) return signal("unrelated_diagnosis", 1, "");
  const named = [...given].filter((name) => view.lower.includes(name.toLowerCase()));
  return signal(
    "unrelated_diagnosis",
    named.length / Math.min(2, given.size),
    "the diagnosis names neither the error nor the code that it is about",
  );
}

/** A cure, and not a silenced symptom. */
function cures(view: View): Signal {
  const hides =
    /except[^\n]{0,60}:\s{0,40}pass\b|catch\s?(?:\(\w{0,30}\))?\s?\{\s{0,40}\}|@ts-ignore|eslint-disable|# type: ignore|# noqa/i.test(
      codeOf(view),
    );
  return signal("hidden_symptom", !hides, "the fix silences the fault instead of curing it");
}

/**
 * Code that was debugged:
 *
 * - correctness: nothing broken or untrue, no placeholders, the cause is about the given error and code, the fix cures
 * - completeness: diagnosis, root cause, a fix in code, how to verify it
 * - efficiency: a fix of 80 lines or less, nothing twice
 * - maintainability: an explanation of 15 words or more, readable sentences, the fault not silenced
 */
export const scoreDebugging: Scorer = (view) => ({
  correctness: [soundness(view), finished(view), refersToFault(view), cures(view)],
  completeness: [
    has(view, "no_diagnosis", {
      keys: "diagnosis analysis",
      words: /\bdiagnos/,
      say: "no diagnosis",
    }),
    has(view, "no_root_cause", {
      keys: "root_cause cause",
      words: /\bbecause\b|\broot cause|\bporque\b|\bcausa/,
      say: "the root cause is not named",
    }),
    hasCode(view),
    has(view, "no_verification", {
      keys: "verification tests test",
      words: /\bverif|\btest|\breproduc|\bprueba/,
      say: "no way to verify the fix",
    }),
  ],
  efficiency: [
    signal(
      "large_fix",
      80 / Math.max(80, linesOf(codeOf(view)).length),
      "the fix is longer than 80 lines",
    ),
    terse(view),
  ],
  maintainability: [longEnough(view, 15), readable(view), cures(view)],
});

/** Blocks of a test file, by their openings. */
function casesOf(view: View): string[] {
  const code = codeOf(view);
  const titled = [
    ...code.matchAll(/\b(?:it|test)(?:\.\w{1,20})?\(\s{0,20}["'`]([^"'`\n]{1,200})/g),
  ].map(([, title = ""]) => title);
  const named = [...code.matchAll(/\b(?:def|func|void|fn) (test_?\w{1,80}|Test\w{1,80})/g)].map(
    ([, name = ""]) => namedWords(name).join(" "),
  );
  const listed = ["tests", "cases", "results", "assertions"].flatMap((key) => {
    const array = view.measured.arrays.find((one) => one.key === key);
    return (array?.items ?? []).map((item) => JSON.stringify(item));
  });
  return [...titled, ...named, ...listed];
}

function asserting(view: View): Signal {
  const cases = casesOf(view).length;
  const asserts = (
    view.lower.match(/\bexpect\s?\(|\bassert\w{0,20}|\bshould\b|"?(?:expected|passed|status)"?/g) ??
    []
  ).length;
  return form("no_assertion", cases === 0 ? 0 : asserts / cases, "tests that assert nothing");
}

const EDGES =
  /\b(?:empty|null|none|undefined|invalid|missing|error|throws?|raises?|rejects?|refuses?|negative|zero|boundary|edge|limit|large|unicode|timeout|fails?|vac[ií]o|inválid\w+|límite|negativ\w+|falla)\b/g;

/**
 * Tests that were written or run:
 *
 * - correctness: nothing broken or untrue, no placeholders, an assertion for each case
 * - completeness: three cases or more, about the subject, two kinds of edge cases (empty, invalid, limit …)
 * - efficiency: no line twice, no sleeping
 * - maintainability: titles of three words or more, lines that can be read
 */
export const scoreTesting: Scorer = (view) => {
  const cases = casesOf(view);
  const edges = new Set(view.lower.match(EDGES)).size;
  const titled = cases.filter((title) => namedWords(title).length >= 3).length;
  return {
    correctness: [soundness(view), finished(view), asserting(view)],
    completeness: [
      form("few_cases", cases.length / 3, `${cases.length} cases`),
      aboutIt(view),
      form("no_edge_cases", edges / 2, "no cases of empty, invalid or extreme input"),
    ],
    efficiency: [
      terse(view),
      signal("sleeps", !/\bsleep\s?\(|settimeout\(/.test(view.lower), "tests that sleep"),
    ],
    maintainability: [
      form(
        "mute_titles",
        cases.length === 0 ? 0 : titled / cases.length,
        "titles that don't say what is tested",
      ),
      signal(
        "long_lines",
        linesOf(codeOf(view)).every((line) => line.length <= 160),
        "lines over 160 characters",
      ),
    ],
  };
};
