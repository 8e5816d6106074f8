/**
 * What can be done about a problem: the action of each entry of a post-mortem begins with one of these words, so that
 * programs can count what was done.
 */
const REMEDIES = [
  "Retried",
  "Escalated",
  "Resumed",
  "Asked",
  "Offered",
  "Ended",
  "Noted",
  "Ignored",
] as const;
export type Remedy = (typeof REMEDIES)[number];

/** The action of a post-mortem in its form: the word, then what it means here. */
export function actionOf(remedy: Remedy, detail: string): string {
  return `${remedy}: ${detail}`;
}

/** The word that an action begins with; null where it is older than the words. */
export function remedyOf(action: string): Remedy | null {
  return REMEDIES.find((remedy) => action.startsWith(`${remedy}: `)) ?? null;
}
