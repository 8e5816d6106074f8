import type { ValidationRecord } from "../protocol/validation-record.ts";
import type { SystemAlert } from "../protocol/webhook-operations.ts";

/** A tenant is told of one kind of fault at most once in so long, by the clock. Milliseconds. */
const PACE_MS = 300_000;

/** Kinds of faults that are remembered; beyond them all are told anew, which the endpoints' own memory catches. */
const MOST_KNOWN = 1_000;

/** Characters of an alert's id that are its subject's. */
const SUBJECT_LENGTH = 150;

type Withheld = Pick<
  ValidationRecord,
  "record_id" | "route" | "operation" | "request_id" | "errors" | "faults"
>;

/** What broke, in words that a receiver can tell kinds of faults by. */
function subjectOf({ operation, route }: Withheld): string {
  return operation ?? route;
}

/**
 * What a tenant is told when something broken was about to leave and did not. Places, never values.
 *
 * Its id is the same for one kind of fault within five minutes, in every isolate: an endpoint stores it once.
 *
 * @param now epoch milliseconds
 */
export function withheldAlert(withheld: Withheld, now: number): SystemAlert {
  const subject = subjectOf(withheld);
  const { record_id, route, request_id, errors, faults } = withheld;
  const name = subject.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, SUBJECT_LENGTH);
  return {
    alert_id: `withheld-${name}-${Math.floor(now / PACE_MS)}`,
    severity: "error",
    title: `Something broken did not leave: ${subject}`.slice(0, 200),
    detail: `What ${subject} was about to send broke its own schema. It was withheld and replaced by a notice that says so. That is a fault of this system; the record of the validation names the places.`,
    evidence: { record_id, route, request_id, faults, places: errors },
  };
}

/** Says whether a fault is to be told: each kind of it once in five minutes. */
export class WithheldPace {
  readonly #told = new Map<string, number>();

  /** Whether nobody in this isolate has told the tenant of this kind of fault lately; then it counts as told. */
  isDue(tenant: string, withheld: Withheld, now: number): boolean {
    const key = `${tenant} ${subjectOf(withheld)}`;
    const turn = Math.floor(now / PACE_MS);
    if (this.#told.get(key) === turn) return false;
    if (this.#told.size >= MOST_KNOWN) this.#told.clear();
    this.#told.set(key, turn);
    return true;
  }
}
