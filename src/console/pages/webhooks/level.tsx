import type { Webhook } from "../../api/webhooks.ts";
import { Badge } from "../../parts/badge.tsx";
import type { Tone } from "../../parts/glyph.tsx";
import { useWords } from "../../parts/use-words.ts";
import { webhooksWords } from "../../words/webhooks.ts";

const LEVELS = [
  ["level0", "level0Text", "good"],
  ["level1", "level1Text", "warn"],
  ["level2", "level2Text", "warn"],
  ["level3", "level3Text", "bad"],
  ["level4", "level4Text", "bad"],
] as const satisfies readonly (readonly [string, string, Tone])[];

/** The breaker's level in a word; with `isLong`, what it means as well. */
export function Level({ of: { level }, isLong }: { of: Webhook; isLong?: boolean }) {
  const say = useWords(webhooksWords);
  const [name, meaning, tone] = LEVELS[level] ?? LEVELS[4];
  return (
    <>
      <Badge tone={tone}>{say(name)}</Badge>
      {isLong === true && <span class="quiet"> {say(meaning)}</span>}
    </>
  );
}
