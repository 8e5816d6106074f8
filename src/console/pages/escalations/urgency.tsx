import { Term } from "../../parts/badge.tsx";
import type { Tone } from "../../parts/glyph.tsx";

const TONES: Record<string, Tone> = { critical: "bad", high: "warn", medium: "live", low: "idle" };

/** How urgent a question is. */
export function Urgency({ of }: { of: string }) {
  return <Term of={of} tone={TONES[of] ?? "idle"} />;
}
