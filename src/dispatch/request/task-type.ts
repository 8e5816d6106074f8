import type { TaskType } from "../../protocol/enums.ts";

/**
 * Words that speak of a task type, in English and Spanish. The order settles ties: what is done to a thing
 * says more than the thing, so the types that begin with a verb of their own come first.
 */
const WORDS: readonly [TaskType, RegExp][] = [
  [
    "code_debugging",
    /\b(?:debug\w*|fix(?:es|ing)?|bugs?|crash\w*|stack traces?|corrig\w*|corrije\w*|depura\w*|arregla\w*)\b/g,
  ],
  [
    "testing",
    /\b(?:tests?|testing|coverage|end-to-end|unit tests?|prueba\w*|comprueba\w*|comprobar|verifica\w*)\b/g,
  ],
  [
    "deployment",
    /\b(?:deploy\w*|releas(?:e|ing)|roll ?out|ship|despl(?:ieg|eg)\w*|publica(?:r|la|lo)?)\b/g,
  ],
  ["configuration", /\b(?:configur\w*|set ?up|install\w*|provision\w*|instala\w*|prepara\w*)\b/g],
  ["monitoring", /\b(?:monitor\w*|uptime|watch for|alert on|vigila\w*)\b/g],
  [
    "documentation",
    /\b(?:document(?:s|ation|ing|a\w*)?|docs|readme|changelog|manual|guide|report|informes?|redact\w*|escrib\w*|resum\w*)\b/g,
  ],
  [
    "data_analysis",
    /\b(?:anal[yi][sz]e?\w*|analiza\w*|calcula\w*|gráfic[oa]s?|datasets?|csv|statistics?|charts?|correlat\w*|outliers?|trends?)\b/g,
  ],
  [
    "code_generation",
    /\b(?:implement\w*|code|program(?:a\w*)?|scripts?|functions?|implementa\w*|desarrolla\w*|refactor\w*|develop\w*|api)\b/g,
  ],
  [
    "research",
    /\b(?:research\w*|investiga\w*|busca\w*|reún\w*|recopila\w*|recoge\w*|find out|compar\w*|survey\w*|sources|literature|collect\w*|gather\w*)\b/g,
  ],
];

/** Words that begin a sentence say what is to be done, and count double. */
const OPENING_LENGTH = 24;

/** What type of task a description speaks of, and the words that say so. `general` when none does. */
export function inferTaskType(description: string): { task_type: TaskType; words: string[] } {
  const text = description.toLowerCase();
  let best: { task_type: TaskType; words: string[]; weight: number } = {
    task_type: "general",
    words: [],
    weight: 0,
  };
  for (const [task_type, pattern] of WORDS) {
    const found = [...text.matchAll(pattern)];
    const words = [...new Set(found.map(([word]) => word))];
    const isOpening = found.some(({ index }) => index < OPENING_LENGTH);
    const weight = words.length + (isOpening ? 1 : 0);
    if (weight > best.weight) best = { task_type, words, weight };
  }
  return { task_type: best.task_type, words: best.words };
}
