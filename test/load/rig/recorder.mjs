/** What is noted of requests, by what they do: how long they took, and what came of them. */
import { quantile } from "../client.mjs";
import { round } from "../table.mjs";

/** Latencies from the instant at which a request was intended, and outcomes that were not asked for. */
export class Recorder {
  #latencies = new Map();
  #errors = new Map();
  /** Refusals that were asked for, to see that they come. */
  asked = 0;

  /**
   * Notes one request.
   *
   * @param {{ op: string, ms: number, answer: object, asked?: string | null }} noted `asked` is the refusal that is wanted;
   *   any other outcome than that one, or than `ok` without one, is an error
   */
  note({ op, ms, answer, asked = null }) {
    const { outcome } = answer;
    if (outcome !== (asked ?? "ok")) {
      this.#noteError(op, answer);
      return;
    }
    if (asked !== null) this.asked += 1;
    const latencies = this.#latencies.get(op) ?? [];
    latencies.push(ms);
    this.#latencies.set(op, latencies);
  }

  #noteError(op, { outcome, body, retryAfterS }) {
    const known = this.#errors.get(outcome);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    const detail = `${body?.detail ?? ""} ${JSON.stringify(body?.errors ?? [])}`.slice(0, 300);
    this.#errors.set(outcome, { class: outcome, count: 1, op, retryAfterS, detail });
  }

  /** Requests that went as wanted. */
  get answered() {
    return [...this.#latencies.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Each class of errors: how often, and the first of them with what was said. */
  get errors() {
    return [...this.#errors.values()];
  }

  latenciesOf(op) {
    return this.#latencies.get(op) ?? [];
  }

  /** A row for each operation, in the order of their first requests; milliseconds. */
  rows() {
    return [...this.#latencies].map(([op, latencies]) => ({
      op,
      count: latencies.length,
      ...percentiles(latencies),
    }));
  }
}

/** Milliseconds below which half, 95 and 99 per cent lie. */
export function percentiles(latencies) {
  const of = (share) => round(quantile(latencies, share), 1);
  return { p50Ms: of(0.5), p95Ms: of(0.95), p99Ms: of(0.99) };
}
