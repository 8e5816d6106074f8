/* Steps told in words: first, then, finally. Pure. */

/** A word of order where a sentence or a clause begins. */
const ORDER_WORD =
  /(^|[.;:,!\n]\s*|\s)((?:and\s+|y\s+)?)(first(?:ly)?|second(?:ly)?|third(?:ly)?|then|next|after that|afterwards|finally|lastly|primero|luego|después|a continuación|finalmente|por último)(?![\p{L}\d])(,?)\s+([\p{L}'-]+)/giu;

/** Words of order that are as often something else: the first quarter, next week. */
const AMBIGUOUS = /^(?:first|second|third|next)$/i;

/** What opens a list of steps; what stands before is said of all of them. */
const OPENING = /^(?:first(?:ly)?|primero)$/i;

/** A clause with one of these tells or asks about something: the order in it is that of what it tells. */
const TELLING =
  /(?:^|[^\p{L}])(?:if|when|whenever|unless|how|why|what|which|who|whose|whether|that|because|where|si|cuando|cómo|por qué|qué|que|quién)(?![\p{L}])/iu;

/** Words that begin no order. */
const NO_VERB =
  /^(?:a|an|the|this|that|these|those|it|its|i|we|you|he|she|they|there|here|our|your|my|his|her|their|in|on|at|of|to|for|from|by|with|about|into|as|is|are|was|were|be|been|has|have|had|will|would|can|could|may|might|must|should|not|no|and|or|but|so|some|any|all|each|both|one|two|three|el|la|los|las|un|una|unos|unas|este|esta|esto|estos|ese|esa|eso|su|sus|mi|nuestro|nuestra|en|de|del|al|con|por|para|sin|es|son|fue|era|hay|se|lo|le|yo|ella|ellos|no|y|o|pero)$/i;

/** Verbs that tasks begin with: after a word that is as often something else, only these are believed. */
const VERB =
  /^(?:add|adapt|aggregate|analy[sz]e|answer|apply|ask|assess|build|calculate|call|check|choose|classify|clean|collect|compare|compile|compute|configure|convert|copy|count|create|debug|define|delete|deploy|describe|design|detect|develop|document|download|draft|draw|edit|estimate|evaluate|examine|explain|export|extract|fetch|fill|filter|find|fix|format|gather|generate|get|group|identify|implement|import|inspect|install|investigate|label|learn|list|load|look|make|map|mark|measure|merge|migrate|monitor|move|note|open|organi[sz]e|parse|pick|plan|plot|prepare|present|print|prove|publish|put|query|rank|read|record|refactor|remove|rename|render|report|research|review|rewrite|run|save|scan|score|search|select|send|set|show|sort|split|start|store|study|summari[sz]e|survey|take|test|train|transform|translate|turn|update|upload|use|validate|verify|visit|write)$/i;

interface Mark {
  start: number;
  textStart: number;
  word: string;
  /** Whether it stands in the middle of a clause, joined by "and" alone. */
  isWithin: boolean;
}

const SPANISH = /^(?:primero|luego|después|a continuación|finalmente|por último)$/i;

/** English verbs in other persons and tenses: releases, released, releasing. */
const INFLECTED = /(?:[^s]s|ed|ing)$/i;

/** Whether a word behind a word of order, or at the beginning of the goal, can begin an order. */
function isOrder(verb: string, behind = ""): boolean {
  if (VERB.test(verb)) return true;
  return !NO_VERB.test(verb) && (SPANISH.test(behind) || !INFLECTED.test(verb));
}

/** The sentence so far, up to a place in the goal. */
function sentenceBefore(goal: string, end: number): string {
  const from = Math.max(...[". ", "; ", "\n", "! "].map((mark) => goal.lastIndexOf(mark, end - 1)));
  return goal.slice(from + 1, end);
}

function isSure(word: string, comma: string, verb: string): boolean {
  return AMBIGUOUS.test(word) && comma === "" ? VERB.test(verb) : isOrder(verb, word);
}

function markOf(goal: string, match: RegExpExecArray): Mark | null {
  const [whole, boundary = "", joint = "", word = "", comma = "", verb = ""] = match;
  const isClause = boundary === "" || /[.;:,!\n]/.test(boundary);
  if (!isClause && joint === "") return null;
  if (!isSure(word, comma, verb) || TELLING.test(sentenceBefore(goal, match.index))) return null;
  const textStart = match.index + whole.length - verb.length;
  return { start: match.index + boundary.length, textStart, word, isWithin: !isClause };
}

/** Marks of order that are beyond doubt. One within a clause counts only where the goal opens with first. */
function marksIn(goal: string): Mark[] {
  const marks = [...goal.matchAll(ORDER_WORD)].flatMap((match) => markOf(goal, match) ?? []);
  const opens = OPENING.test(marks[0]?.word ?? "");
  return marks.filter(({ isWithin }) => opens || !isWithin);
}

/**
 * The steps of a goal that tells their order in words, and what it says before them; none when it does not,
 * or may not.
 *
 * `First collect the figures, then check them` has two. `Explain how it first melts, then boils` is one
 * thing, and so is `the first quarter`.
 */
export function clausesOf(goal: string): { preamble: string; texts: string[] } {
  const marks = marksIn(goal);
  const first = marks[0];
  if (first === undefined) return { preamble: "", texts: [] };
  const head = goal.slice(0, first.start);
  const opens = OPENING.test(first.word);
  if (!opens && !isOrder(/[\p{L}'-]+/u.exec(head)?.[0] ?? "the"))
    return { preamble: "", texts: [] };
  const rest = marks.map(({ textStart }, place) =>
    goal.slice(textStart, marks[place + 1]?.start ?? goal.length),
  );
  const texts = [...(opens ? [] : [head]), ...rest];
  return {
    preamble: opens ? head : "",
    texts: texts.map((text) => text.trim().replace(/[\s.;,]+$/, "")),
  };
}
