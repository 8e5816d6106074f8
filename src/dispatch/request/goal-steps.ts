import { clausesOf } from "./order-words.ts";

/* The steps that a goal itself speaks of: a list, or words such as first, then, finally. Pure. */

/** Steps as they were found, and whether the goal says that they may go on at the same time. */
export interface GoalSteps {
  source: "list" | "words";
  texts: string[];
  /** The number by which the goal names each step; counted from 1 where it gives none of its own. */
  numbers: number[];
  /** What the goal says before them and of all of them; empty when that only announces a list. */
  preamble: string;
  isParallel: boolean;
}

type Items = Omit<GoalSteps, "source" | "isParallel">;

/** How an item of a list is set. */
interface ItemForm {
  /** Characters before its mark. */
  indent: number;
  isNumbered: boolean;
}

function isBeside(first: ItemForm, other: ItemForm): boolean {
  return first.isNumbered === other.isNumbered && other.indent <= first.indent;
}

const ITEM = /^(\s*)(?:(?:step\s+|paso\s+)?(\d{1,3})[.):]|[-*•])\s+(\S.*)$/i;

const PARALLEL =
  /\b(?:in parallel|at the same time|simultaneously|concurrently|independently|in any order|en paralelo|a la vez)\b/i;

/** Words that say no more than that a list follows. */
const ANNOUNCEMENT =
  /^\W*(?:(?:please|por favor|do|make|follow|perform|carry out|haz|realiza|sigue|this|these|the|following|lo siguiente|estos|los|siguientes|steps?|pasos?|tasks?|tareas?|things?|plan|to do)\W*)*$/i;

/** A text shorter than this is no step: a stray mark, an empty item. Characters. */
const SHORTEST_STEP = 3;

/** How much of what comes before the steps each of them is told. Characters. */
const LONGEST_PREAMBLE = 2_000;

function preambleOf(text: string): string {
  const trimmed = text.trim().replaceAll(/\s+/g, " ");
  return ANNOUNCEMENT.test(trimmed.replace(PARALLEL, "")) ? "" : trimmed.slice(0, LONGEST_PREAMBLE);
}

/** Numbers that a list gives itself, unless one of them comes twice: then nobody could tell which is meant. */
function countedBy(own: readonly number[]): number[] {
  return new Set(own).size === own.length ? [...own] : own.map((_, place) => place + 1);
}

/** A line that begins an item, and how far in it stands; null for any other. */
function itemIn(line: string): { form: ItemForm; number: number | null; text: string } | null {
  const found = ITEM.exec(line);
  if (found === null) return null;
  const [, indent = "", number, text = ""] = found;
  const isNumbered = number !== undefined;
  return {
    form: { indent: indent.length, isNumbered },
    number: isNumbered ? Number(number) : null,
    text: text.trim(),
  };
}

/**
 * The items of a list, one a line. Lines that begin no item go with the one before, and so do those that
 * are further in than the first item or marked in another way: they are parts of it.
 */
function listLines(goal: string): Items {
  const preamble: string[] = [];
  const texts: string[] = [];
  const numbers: number[] = [];
  let first: ItemForm | null = null;
  for (const line of goal.split("\n")) {
    const item = itemIn(line);
    first ??= item?.form ?? null;
    if (first === null) preamble.push(line);
    else if (item !== null && isBeside(first, item.form)) {
      texts.push(item.text);
      numbers.push(item.number ?? texts.length);
    } else texts.push(`${texts.pop() ?? ""} ${line.trim()}`.trim());
  }
  return { preamble: preamble.join(" "), texts, numbers: countedBy(numbers) };
}

/** The items of a list within a line: 1) … 2) … 3) …, counted from 1 without a gap. */
function listInLine(goal: string): Items {
  const marks = [...goal.matchAll(/(?:^|\s)\(?(\d{1,3})\)\s+/g)];
  const start = marks.findIndex(([, number]) => number === "1");
  const counted = (start < 0 ? [] : marks.slice(start)).filter(
    ([, number], place) => Number(number) === place + 1,
  );
  const texts = counted.map((mark, place) => {
    const end = counted[place + 1]?.index ?? goal.length;
    const text = goal.slice(mark.index + mark[0].length, end);
    return text.trimEnd().replace(/(?:^|[\s;,]+)(?:(?:and|or|y|o)$|$)/i, "");
  });
  const preamble = goal.slice(0, counted[0]?.index ?? 0);
  return { preamble, texts, numbers: texts.map((_, place) => place + 1) };
}

function areSteps(texts: readonly string[]): boolean {
  return texts.length > 1 && texts.every((text) => text.length >= SHORTEST_STEP);
}

/** The steps that a goal speaks of, or null when it is one thing. In doubt it is one thing. */
export function stepsInGoal(goal: string): GoalSteps | null {
  for (const { preamble, texts, numbers } of [listLines(goal), listInLine(goal)]) {
    if (areSteps(texts)) {
      const isParallel = PARALLEL.test(preamble);
      return { source: "list", texts, numbers, preamble: preambleOf(preamble), isParallel };
    }
  }
  const { preamble, texts } = clausesOf(goal);
  if (!areSteps(texts)) return null;
  const numbers = texts.map((_, place) => place + 1);
  return { source: "words", texts, numbers, preamble: preambleOf(preamble), isParallel: false };
}

const REFERENCE =
  /\b(?:us(?:e|es|ing)|from|based on|with|after|once|results? (?:of|from)|outputs? (?:of|from)|findings (?:of|from)|usando|usa|con|según|del|de los|tras)\s+(?:the\s+|el\s+|los\s+|las\s+)?(?:(?:results?|outputs?|findings|data|resultados?|datos|salidas?)\s+(?:of|from|del|de los|de)\s+)?(?:steps?|pasos?)\s+(\d{1,3}(?:(?:\s*,\s*|\s+and\s+|\s*&\s*|\s+y\s+)(?:steps?\s+|pasos?\s+)?\d{1,3})*)/gi;

/** The numbers of the steps whose results a step says that it uses, as it names them. */
export function referencesIn(text: string): number[] {
  const numbers = [...text.matchAll(REFERENCE)].flatMap(
    ([, list]) => list?.match(/\d+/g)?.map(Number) ?? [],
  );
  return [...new Set(numbers)];
}
