import { distance, fullTime, instantOf } from "../lib/format.ts";
import { useNow } from "./use-now.ts";
import { useLang } from "./use-words.ts";

/** An instant as a distance from now, with the full time behind it. An em dash where there is none. */
export function Ago({ at }: { at: string | null }) {
  const lang = useLang();
  const now = useNow();
  const instant = instantOf(at);
  if (instant === null || at === null) return <span class="quiet">—</span>;
  return (
    <time dateTime={at} title={fullTime(instant, lang)}>
      {distance(instant, now, lang)}
    </time>
  );
}
