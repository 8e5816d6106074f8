import type { ComponentChildren } from "preact";

import { Glyph, toneOf, type Tone } from "./glyph.tsx";
import { useTerms } from "./use-words.ts";

/** A word with its mark. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge tone-${tone}`}>
      <Glyph tone={tone} />
      {children}
    </span>
  );
}

/** One of the contract's words as a badge: a status, a severity, a state. */
export function Term({ of, tone }: { of: string; tone?: Tone }) {
  const term = useTerms();
  return <Badge tone={tone ?? toneOf(of)}>{term(of)}</Badge>;
}
