import { END, patternForm, type Characters, type PatternNode } from "./pattern-form.ts";

/**
 * A bound that depends on the length n of a text: the sum of `bound[d]` times the ways to part n characters by d cuts,
 * (n+d)! / (n! d!). What repetitions in a row take is one cut each, because all share the text.
 */
type Bound = readonly number[];

const ONE: Bound = [1];
const PER_CHARACTER: Bound = [0, 1];

/** Repetitions up to a number beyond this are taken for ones without a bound, which costs less to say. */
const MANY = 1_000;
/** A repetition of something that can match in several ways multiplies them: more of them is as good as endless. */
const MOST_POWERS = 50;

const MOST_CUTS = 20;
const MOST_WAYS = 1e12;

/** Thrown where ways multiply with each character: 2^n and worse. */
class Endless extends Error {}

interface Weighed {
  /** Ways past a part from one place that survive the first test of what follows. */
  ways: Bound;
  /** Steps that all ways together take. */
  work: Bound;
}

/** What may come next: characters, and the tests that it takes to see that none of them does. */
interface Next {
  characters: Characters;
  tests: number;
}

const NONE: Characters = { members: 0n, isOpen: false, isListed: true };
/** After the last part of a look around comes its success, after which it is not gone back into. */
const SUCCESS: Next = { characters: NONE, tests: 1 };
/** After the last part of all comes success, and with it the end of the search. */
const FOUND: Next = { characters: NONE, tests: 1 };
const ANY: Characters = { members: null, isOpen: true, isListed: false };
const LAST: Characters = { members: END, isOpen: false, isListed: true };

/**
 * Steps that a search for a pattern takes at most, by a matcher that goes back (as V8's does), in a text of `length`
 * characters; Infinity when no power of the length bounds them.
 *
 * It counts the places of the pattern times the ways to reach each. A repetition that what follows cannot begin in
 * (`[a-z]+-`) leaves one way; any other leaves one for each count. A choice leaves one way when no two of its options
 * begin alike, else one for each; repeated, those make 2^n.
 *
 * @param pattern valid with flag u, of bounded length
 */
export function searchSteps(pattern: string): (length: number) => number {
  const bound = boundOf(pattern);
  return (length) => {
    let cuts = 1;
    return bound.reduce((sum, factor, degree) => {
      if (degree > 0) cuts *= (length + degree) / degree;
      return factor === 0 ? sum : sum + factor * cuts;
    }, 0);
  };
}

function boundOf(pattern: string): Bound {
  const form = patternForm(pattern);
  if (form === null) return [Infinity];
  try {
    const { work } = weighed(form, FOUND, false);
    if (isAnchored(form)) return plus(work, PER_CHARACTER);
    const { tests, starts } = beginningOf(form);
    return plus(times(work, starts), [0, tests]);
  } catch (cause) {
    if (cause instanceof Endless) return [Infinity];
    throw cause;
  }
}

/**
 * How often a search gets past the characters that a pattern begins with, and the tests that it takes at most to see so
 * at each place: `error` begins in every fifth place at most.
 */
function beginningOf(form: PatternNode): { tests: number; starts: Bound } {
  const parts = partsOf(form);
  const end = parts.findIndex(({ kind }) => kind !== "character");
  const first = parts
    .slice(0, end === -1 ? parts.length : end)
    .flatMap((part) => (part.kind === "character" ? [part.characters] : []));
  const overlapsAfter = (shift: number) =>
    first.slice(shift).every((characters, at) => !areApart(characters, first[at] ?? ANY));
  let shift = 1;
  while (shift < first.length && !overlapsAfter(shift)) shift += 1;
  return { tests: Math.max(1, first.length), starts: [1, 1 / shift] };
}

/** Whether it is tried at the start of a text alone. */
function isAnchored(node: PatternNode): boolean {
  if (node.kind === "choice") return node.options.every(isAnchored);
  if (node.kind === "sequence") return node.parts[0] !== undefined && isAnchored(node.parts[0]);
  return node.kind === "start";
}

function plus(one: Bound, other: Bound): Bound {
  const length = Math.max(one.length, other.length);
  return Array.from({ length }, (_, at) => (one[at] ?? 0) + (other[at] ?? 0));
}

function times(one: Bound, other: Bound): Bound {
  const product = Array.from({ length: one.length + other.length - 1 }, () => 0);
  for (const [at, left] of one.entries()) {
    for (const [to, right] of other.entries())
      product[at + to] = (product[at + to] ?? 0) + left * right;
  }
  return product;
}

function largest(bounds: readonly Bound[]): Bound {
  const length = Math.max(...bounds.map((bound) => bound.length));
  return Array.from({ length }, (_, at) => Math.max(...bounds.map((bound) => bound[at] ?? 0)));
}

function isOne(bound: Bound): boolean {
  return bound.every((factor, degree) => factor === (degree === 0 ? 1 : 0));
}

/** Whether no character is in both; where that can't be known, they are not apart. */
function areApart(one: Characters, other: Characters): boolean {
  if (one.members === 0n || other.members === 0n) return true;
  if (one.members === null || other.members === null) return false;
  if ((one.isOpen && !other.isListed) || (other.isOpen && !one.isListed)) return false;
  return (one.members & other.members) === 0n;
}

function joined({ characters: left, tests }: Next, { characters: right, tests: more }: Next): Next {
  const { members } = left;
  return {
    characters: {
      members: members === null || right.members === null ? null : members | right.members,
      isOpen: left.isOpen || right.isOpen,
      isListed: left.isListed && right.isListed,
    },
    tests: tests + more,
  };
}

/** What can come first where a part stands before `after`. */
function nextOf(node: PatternNode, after: Next): Next {
  switch (node.kind) {
    case "character":
      return { characters: node.characters, tests: 1 };
    case "start":
    case "border":
      return { ...after, tests: after.tests + 1 };
    case "end":
      return { characters: LAST, tests: 1 };
    case "look":
    case "again":
      return { ...after, characters: ANY };
    case "sequence":
      return node.parts.reduceRight((next, part) => nextOf(part, next), after);
    case "choice":
      return node.options
        .map((option) => nextOf(option, after))
        .reduce((one, other) => joined(one, other));
    case "loop": {
      const first = nextOf(node.body, after);
      return node.min === 0 ? joined(first, after) : first;
    }
  }
}

function canBeEmpty(node: PatternNode): boolean {
  if (node.kind === "sequence") return node.parts.every(canBeEmpty);
  if (node.kind === "choice") return node.options.some(canBeEmpty);
  if (node.kind === "loop") return node.min === 0 || canBeEmpty(node.body);
  return node.kind !== "character";
}

/** @param isBehind whether it is matched backwards, where what follows in the pattern decides nothing */
function weighed(node: PatternNode, after: Next, isBehind: boolean): Weighed {
  switch (node.kind) {
    case "character":
    case "start":
    case "border":
    case "end":
      return { ways: ONE, work: ONE };
    case "again":
      return { ways: ONE, work: plus(ONE, PER_CHARACTER) };
    case "look": {
      const { work } = weighed(node.body, SUCCESS, isBehind || node.isBehind);
      // Going back shares its characters with the way here, so its cuts are not cuts of the rest.
      return { ways: ONE, work: plus(ONE, node.isBehind ? times(work, PER_CHARACTER) : work) };
    }
    case "sequence":
      return weighedSequence(node.parts, after, isBehind);
    case "choice":
      return weighedChoice(node.options, after, isBehind);
    case "loop":
      return weighedLoop(node, after, isBehind);
  }
}

function weighedSequence(parts: readonly PatternNode[], after: Next, isBehind: boolean): Weighed {
  let next = after;
  const all = parts.toReversed().map((part): Weighed => {
    const each = weighed(part, next, isBehind);
    next = nextOf(part, next);
    return each;
  });
  const inTurn = isBehind ? all : all.toReversed();
  let sum: Weighed = { ways: ONE, work: [0] };
  for (const { ways, work } of inTurn) {
    sum = { ways: within(times(sum.ways, ways)), work: plus(sum.work, times(sum.ways, work)) };
  }
  return sum;
}

function weighedChoice(options: readonly PatternNode[], after: Next, isBehind: boolean): Weighed {
  const all = options.map((option) => weighed(option, after, isBehind));
  const isClear =
    !isBehind &&
    options.every((one, at) => options.slice(0, at).every((other) => doPart(one, other, after)));
  const ways = all.map((each) => each.ways);
  return {
    ways: isClear ? largest(ways) : ways.reduce((sum, each) => plus(sum, each)),
    work: all.map((each) => each.work).reduce((sum, each) => plus(sum, each)),
  };
}

/** Whether two options part: after characters that both may begin with, no character continues both. */
function doPart(left: PatternNode, right: PatternNode, after: Next): boolean {
  const lefts = partsOf(left);
  const rights = partsOf(right);
  for (let at = 0; ; at += 1) {
    const one = lefts[at];
    const other = rights[at];
    if (one?.kind !== "character" || other?.kind !== "character") {
      const [first, second] = [lefts, rights].map((parts) =>
        parts.slice(at).reduceRight((next, each) => nextOf(each, next), after),
      );
      return areApart((first ?? after).characters, (second ?? after).characters);
    }
    if (areApart(one.characters, other.characters)) return true;
  }
}

function partsOf(node: PatternNode): readonly PatternNode[] {
  return node.kind === "sequence" ? node.parts : [node];
}

function weighedLoop(
  { body, min, max }: PatternNode & { kind: "loop" },
  after: Next,
  isBehind: boolean,
): Weighed {
  const again = max > 1 ? joined(nextOf(body, after), after) : after;
  const each = weighed(body, again, isBehind);
  const perTime = plus(each.work, [after.tests]);
  if (!isOne(each.ways)) return multiplied({ ways: each.ways, work: perTime }, min, max);
  const isClear =
    min === max || (!isBehind && areApart(nextOf(body, SUCCESS).characters, after.characters));
  // Once it may end, a last part has found what was searched: what it takes beyond is taken once, from one start alone.
  if (after === FOUND && body.kind === "character" && min <= MANY) {
    return { ways: ONE, work: [min + 1] };
  }
  const often = max <= MANY ? [max] : plus(PER_CHARACTER, canBeEmpty(body) ? [min] : ONE);
  const counts = max - min < MANY ? [max - min + 1] : PER_CHARACTER;
  return { ways: isClear ? ONE : counts, work: plus(times(often, perTime), perTime) };
}

/** A loop of something that can match in several ways: each time has as many for each way of the times before. */
function multiplied({ ways, work }: Weighed, min: number, max: number): Weighed {
  if (max > MOST_POWERS) throw new Endless();
  let power = ONE;
  const sum = { ways: min === 0 ? ONE : [0], work: ONE };
  for (let time = 1; time <= max; time += 1) {
    sum.work = plus(sum.work, times(power, work));
    power = within(times(power, ways));
    if (time >= min) sum.ways = plus(sum.ways, power);
  }
  return sum;
}

/** A bound that can still be reckoned with. */
function within(bound: Bound): Bound {
  if (bound.length > MOST_CUTS || bound.some((factor) => factor > MOST_WAYS)) throw new Endless();
  return bound;
}
