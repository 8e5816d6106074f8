/** What a check came to. */
export type Outcome = "passed" | "failed" | "not_applicable";

/** What a check saw. */
export interface Verdict {
  outcome: Outcome;
  /** Of a failure what was wrong, one line each; of a check that does not apply why. */
  why: readonly string[];
  /** The requests, for a person. */
  seen: readonly string[];
}

/** One thing that the protocol asks of a program, and how to find out. `S` is what its scene is played on. */
export interface Check<S> {
  id: string;
  title: string;
  /** Where the protocol says so. */
  section: string;
  /** What it says. */
  rule: string;
  /** What to do about a failure. */
  advice: string;
  run: (stage: S) => Promise<Verdict>;
}

/** What the report has of a check. */
export interface Finding extends Verdict {
  role: Role;
  id: string;
  title: string;
  section: string;
  rule: string;
  advice: string;
  duration_ms: number;
}

/** Whose program is tried. */
export type Role = "executor" | "receiver" | "orchestrator";

/** Passed where nothing was wrong. */
export function judged(faults: readonly string[], seen: readonly string[]): Verdict {
  return { outcome: faults.length === 0 ? "passed" : "failed", why: faults, seen };
}

/** The check has nothing to say about this program. */
export function notApplicable(why: string, seen: readonly string[] = []): Verdict {
  return { outcome: "not_applicable", why: [why], seen };
}
