/* What a formula does not tell: who waits how long when many come at once, or when one of them hangs. Pure. */

/** Something that comes to a station: when, and how long it takes there, milliseconds. */
export interface Arrival {
  at: number;
  takes: number;
  /** Whose it is. */
  of: string;
}

/**
 * How long each has waited until it was done, in the order of arrival: first come, first served, by so many servers.
 *
 * @param arrivals in the order of their instants
 */
export function serve(arrivals: readonly Arrival[], servers: number): { of: string; ms: number }[] {
  const free = Array.from({ length: servers }, () => 0);
  return arrivals.map(({ at, takes, of }) => {
    let next = 0;
    for (let server = 1; server < servers; server += 1) {
      if ((free[server] ?? 0) < (free[next] ?? 0)) next = server;
    }
    const done = Math.max(at, free[next] ?? 0) + takes;
    free[next] = done;
    return { of, ms: done - at };
  });
}

/** The value below which so large a share of the waits is. */
export function quantileOf(waits: readonly { ms: number }[], share: number): number {
  const sorted = waits.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Uniform draws in [0, 1) that are the same for the same seed (mulberry32). */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Arrivals of one, at random and so many a second, in the order of their instants. */
function stream(
  of: string,
  { perSecond, seconds, takes }: { perSecond: number; seconds: number; takes: number },
  draw: () => number,
): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let at = 0; ;) {
    at += (-Math.log(1 - draw()) / perSecond) * 1_000;
    if (at >= seconds * 1_000) return arrivals;
    arrivals.push({ at, takes, of });
  }
}

const inOrder = (...streams: Arrival[][]): Arrival[] =>
  streams.flat().toSorted((a, b) => a.at - b.at);

const of = (waits: readonly { of: string; ms: number }[], name: string) =>
  waits.filter((wait) => wait.of === name);

/** When tasks of a burst have an executor, if they share so many pools: the middle and the last of a hundred, milliseconds. */
export function burst(
  { tasks, withinMs, callMs, pools }: Record<"tasks" | "withinMs" | "callMs" | "pools", number>,
  draw: () => number,
): { p50: number; p99: number } {
  // Each is announced, and claimed: two calls; those of one pool come one after the other.
  const waits = Array.from({ length: pools }, () => {
    const share = Math.round(tasks / pools);
    const arrivals = Array.from({ length: share }, () => ({
      at: draw() * withinMs,
      takes: 2 * callMs,
      of: "task",
    }));
    return serve(inOrder(arrivals), 1);
  }).flat();
  return { p50: quantileOf(waits, 0.5), p99: quantileOf(waits, 0.99) };
}

/** How late the history of a small tenant is beside a large one, in one database and in two: 99th percentile, milliseconds. */
export function hotTenant(
  { hot, small, ms, seconds }: Record<"hot" | "small" | "ms" | "seconds", number>,
  draw: () => number,
): { together: number; apart: number } {
  const large = stream("hot", { perSecond: hot, seconds, takes: ms }, draw);
  const little = stream("small", { perSecond: small, seconds, takes: ms }, draw);
  return {
    together: quantileOf(of(serve(inOrder(large, little), 1), "small"), 0.99),
    apart: quantileOf(serve(little, 1), 0.99),
  };
}

/**
 * How long deliveries of an endpoint take while another one hangs until its timeout: as they are, each with an object of
 * its own, and as they would be if both shared senders. 99th percentile, milliseconds.
 */
export function hangingEndpoint(
  {
    perSecond,
    receiverMs,
    timeoutMs,
    slots,
    seconds,
  }: Record<"perSecond" | "receiverMs" | "timeoutMs" | "slots" | "seconds", number>,
  draw: () => number,
): { own: number; shared: number } {
  const sound = stream("sound", { perSecond, seconds, takes: receiverMs }, draw);
  const hanging = stream("hanging", { perSecond, seconds, takes: timeoutMs }, draw);
  return {
    own: quantileOf(serve(sound, slots), 0.99),
    shared: quantileOf(of(serve(inOrder(sound, hanging), 2 * slots), "sound"), 0.99),
  };
}
