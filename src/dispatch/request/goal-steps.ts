/* The steps that a goal itself speaks of: a list, or words such as first, then, finally. Pure. */

/** Steps as they were found, and whether the goal says that they may go on at the same time. */
export interface GoalSteps {
  source: "list" | "words";
  texts: string[];
  isParallel: boolean;
}

const ITEM = /^\s*(?:(?:step\s+)?(\d{1,3})[.):]|[-*•])\s+(\S.*)$/i;

const PARALLEL =
  /\b(?:in parallel|at the same time|simultaneously|concurrently|independently|in any order|en paralelo|a la vez)\b/i;

/** A text shorter than this is no step: a stray mark, an empty item. Characters. */
const SHORTEST_STEP = 3;

/** The items of a list, one a line; lines that begin no item go with the one before. */
function listLines(goal: string): { preamble: string; texts: string[] } {
  const preamble: string[] = [];
  const texts: string[] = [];
  for (const line of goal.split("\n")) {
    const text = ITEM.exec(line)?.[2];
    const last = texts.length - 1;
    if (text !== undefined) texts.push(text.trim());
    else if (last < 0) preamble.push(line);
    else if (line.trim() !== "") texts[last] = `${texts[last]} ${line.trim()}`;
  }
  return { preamble: preamble.join(" "), texts };
}

/** The items of a list within a line: 1) … 2) … 3) …, counted from 1 without a gap. */
function listInLine(goal: string): { preamble: string; texts: string[] } {
  const marks = [...goal.matchAll(/(?:^|\s)\(?(\d{1,2})[.)]\s+/g)];
  const start = marks.findIndex(([, number]) => number === "1");
  const counted = (start < 0 ? [] : marks.slice(start)).filter(
    ([, number], place) => Number(number) === place + 1,
  );
  const texts = counted.map((mark, place) => {
    const end = counted[place + 1]?.index ?? goal.length;
    return goal.slice(mark.index + mark[0].length, end).replace(/[\s;,]+$/, "");
  });
  return { preamble: goal.slice(0, counted[0]?.index ?? 0), texts };
}

/** A word of order where a clause begins. What follows `if …,` is a consequence, not a step. */
const ORDER_WORD =
  /(^|[.;:,\n]\s*|\band\s+|\by\s+)(?:and\s+|y\s+)?(first(?:ly)?|second(?:ly)?|third(?:ly)?|then|next|after that|afterwards|finally|lastly|primero|luego|después|finalmente|por último)\b,?\s+/gi;

const CONDITION = /(?:^|[.;:\n]\s*)(?:if|when|whenever|unless|si|cuando)\b[^.;\n]*$/i;

function byWords(goal: string): string[] {
  const marks = [...goal.matchAll(ORDER_WORD)].filter(
    ({ index }) => !CONDITION.test(goal.slice(0, index)),
  );
  const first = marks[0];
  if (first === undefined) return [];
  const opensWithFirst = /^(?:first|primero)/i.test(first[2] ?? "");
  const head = opensWithFirst ? [] : [goal.slice(0, first.index)];
  const rest = marks.map((mark, place) =>
    goal.slice(mark.index + mark[0].length, marks[place + 1]?.index ?? goal.length),
  );
  return [...head, ...rest].map((text) => text.trim().replace(/[\s.;,]+$/, ""));
}

function areSteps(texts: readonly string[]): boolean {
  return texts.length > 1 && texts.every((text) => text.length >= SHORTEST_STEP);
}

/** The steps that a goal speaks of, or null when it is one thing. */
export function stepsInGoal(goal: string): GoalSteps | null {
  for (const { preamble, texts } of [listLines(goal), listInLine(goal)]) {
    if (areSteps(texts)) return { source: "list", texts, isParallel: PARALLEL.test(preamble) };
  }
  const texts = byWords(goal);
  return areSteps(texts) ? { source: "words", texts, isParallel: false } : null;
}

const REFERENCE =
  /\b(?:us(?:e|es|ing)|from|based on|with|after|once|results? (?:of|from)|outputs? (?:of|from)|findings (?:of|from)|usando|del|tras)\s+(?:the\s+)?(?:(?:results?|outputs?|findings|data)\s+(?:of|from)\s+)?(?:steps?|pasos?)\s+(\d{1,3}(?:(?:\s*,\s*|\s+and\s+|\s*&\s*|\s+y\s+)(?:steps?\s+)?\d{1,3})*)/gi;

/** The steps, by index from 0, whose results a step says that it uses. People count steps from 1. */
export function referencesIn(text: string): number[] {
  const numbers = [...text.matchAll(REFERENCE)].flatMap(
    ([, list]) => list?.match(/\d+/g)?.map(Number) ?? [],
  );
  return [...new Set(numbers)].filter((number) => number > 0).map((number) => number - 1);
}
