import { percent, type Lang } from "./format.ts";

/** A share of 1 that may not be known yet. */
export function rate(share: number | null, lang: Lang): string {
  return share === null ? "—" : percent(share, lang);
}
