import type { JSX } from "preact";

/** What something is like, whatever it is. Each tone has a colour and a shape of its own. */
export type Tone = "good" | "bad" | "warn" | "live" | "idle" | "off";

/** Drawn in a box of 12 by 12. A tone is known by its outline alone, without any colour. */
const SHAPES: Record<Tone, JSX.Element> = {
  good: (
    <path d="M6 0.8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 0 1 6 .8ZM3.2 6.1l2 2 3.7-4.3" class="cut" />
  ),
  bad: <path d="M3.6.8h4.8l2.8 2.8v4.8l-2.8 2.8H3.6L.8 8.400V3.600ZM4 4l4 4M8 4 4 8" class="cut" />,
  warn: <path d="M6 .9 11.600 11H.4ZM6 4.400v3M6 9v.4" class="cut" />,
  live: <path d="M2.400 1 10.600 6l-8.200 5Z" />,
  idle: <circle cx="6" cy="6" r="4.500" class="hollow" />,
  off: <path d="M1.500 6h9" class="hollow" />,
};

/** A small mark of a tone. Says nothing to those who listen: words stand beside it. */
export function Glyph({ tone }: { tone: Tone }) {
  return (
    <svg class={`glyph tone-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[tone]}
    </svg>
  );
}

const TONES: Record<string, Tone> = {
  pending: "idle",
  running: "live",
  escalated: "warn",
  completed: "good",
  failed: "bad",
  cancelled: "off",
  success: "good",
  failure: "bad",
  partial: "warn",
  timeout: "bad",
  resource_exhausted: "bad",
  delivering: "live",
  delivered: "good",
  retrying: "warn",
  held: "warn",
  exhausted: "bad",
  online: "good",
  draining: "warn",
  stale: "warn",
  offline: "off",
  active: "good",
  paused: "off",
  disabled: "bad",
  open: "warn",
  resolved: "good",
  expired: "off",
  firing: "bad",
  info: "idle",
  warning: "warn",
  error: "bad",
  critical: "bad",
  ok: "good",
  unset: "idle",
  requested: "idle",
  acknowledged: "live",
  confirmed: "good",
  rejected: "bad",
  unresponsive: "bad",
  done: "good",
  fallback: "warn",
  skipped: "off",
  timed_out: "bad",
};

/** The tone of one of the contract's words, such as a status; idle for those that are not known. */
export function toneOf(term: string): Tone {
  return Object.hasOwn(TONES, term) ? (TONES[term] ?? "idle") : "idle";
}
