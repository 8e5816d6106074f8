import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { ExecutorPorts } from "./ports.ts";
import type { Session } from "./session.ts";

/** The attempt has stopped and its work did not. */
const LEFT: Refusal = { code: "lease_lost", detail: "The attempt is over; its work did not stop." };

/** A promise that is watched instead of awaited. */
class Watched<Value> {
  #outcome: { value: Value } | { cause: unknown } | null = null;
  readonly settled: Promise<void>;

  constructor(work: Promise<Value>) {
    this.settled = work.then(
      (value) => void (this.#outcome = { value }),
      (cause: unknown) => void (this.#outcome = { cause }),
    );
  }

  get isPending(): boolean {
    return this.#outcome === null;
  }

  /** @throws what the work threw */
  get value(): Value {
    if (this.#outcome === null) throw new Error("the work is not done");
    if ("cause" in this.#outcome) throw this.#outcome.cause;
    return this.#outcome.value;
  }
}

/**
 * Waits for work of unknown length while the attempt goes on showing signs of life and looking for commands.
 *
 * What stops the attempt aborts its signal, and the work has five seconds to notice, less where the
 * attempt's last word would come too late. Refused when the lease is gone,
 * or when stopped work did not end.
 *
 * @throws what the work throws, while the attempt lasts
 */
export async function beside<Value>(
  work: Promise<Value>,
  { session, ports }: { session: Session; ports: Pick<ExecutorPorts, "sleep"> },
): Promise<Result<Value, Refusal>> {
  const watched = new Watched(work);
  const done = new AbortController();
  const wait = async (ms: number): Promise<void> => {
    await Promise.race([watched.settled, ports.sleep(ms, done.signal)]);
  };
  try {
    while (session.stop === null) {
      await wait(session.pauseMs);
      if (!watched.isPending) return ok(watched.value);
      const seen = await session.look();
      if (!seen.ok) return seen;
    }
    await wait(session.stoppingMs);
    return watched.isPending ? refuse(LEFT) : ok(watched.value);
  } finally {
    done.abort();
  }
}
