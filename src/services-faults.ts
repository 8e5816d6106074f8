import { readFaults } from "./config.ts";
import { faultyDatabase } from "./faults/database.ts";
import { Dice, seededRandom } from "./faults/dice.ts";
import { faultyNamespace, makeFragile } from "./faults/objects.ts";
import { faultyQueue } from "./faults/queue.ts";
import { injectedError, troubledCall, type Maker } from "./faults/troubled-call.ts";
import { consoleLog } from "./lib/log.ts";
import type { InjectedFaults } from "./protocol/injected-faults.ts";
import { databasesOf } from "./services-history.ts";
import { furtherQueues } from "./services-queues.ts";

/* Where an installation that asks for it is given its faults: its bindings, its objects, what it sends and its clock. */

/** Those that every installation has. */
const QUEUES = [
  "EVENTS",
  "RETRIES_CRITICAL",
  "RETRIES",
  "RETRIES_BULK",
  "EXECUTIONS",
  "PUSHES",
  "DEAD_LETTERS",
] as const satisfies readonly (keyof Env)[];

const NAMESPACES = [
  "TASK",
  "POOL",
  "BATCH",
  "ENDPOINT",
  "LIMITS",
  "OFFENDER",
  "MEMORY",
  "METER",
] as const satisfies readonly (keyof Env)[];

/** What the line in the log and GET /health/ready say while there are faults. */
function words({ from, until }: InjectedFaults): string {
  return `injected ${from === undefined ? "" : `from ${from} `}until ${until}`;
}

/** What was armed, in words; null where nothing was. */
let armed: string | null = null;

/** What GET /health/ready says of injected faults; null where nobody asked for any. */
export function faultsInjected(): string | null {
  return armed;
}

/** Lets what this isolate sends out fail, and its clock be wrong. */
function troubleGlobals(faults: InjectedFaults, maker: Maker, trueNow: () => number): void {
  const { fetch } = globalThis;
  const error = () => injectedError("network connection lost");
  Object.assign(globalThis, {
    fetch: (...args: Parameters<typeof fetch>) =>
      troubledCall(maker, faults.outbound, () => fetch(...args), error),
  });
  const { skew_ms } = faults.clock;
  if (skew_ms === 0) return;
  Object.assign(Date, { now: () => trueNow() + (maker.dice.isOn ? skew_ms : 0) });
}

/** Lets what it reaches by its bindings fail: with further databases and queues of news, as an operator has bound them. */
function troubleBindings(env: Env, faults: InjectedFaults, maker: Maker): void {
  const queues = [...QUEUES.map((name) => [name, env[name]] as const), ...furtherQueues(env)];
  for (const [name, queue] of queues) {
    Reflect.set(env, name, faultyQueue(queue, faults.queues, maker));
  }
  for (const name of NAMESPACES) {
    Reflect.set(env, name, faultyNamespace<object>(env[name], faults.objects, maker));
  }
  for (const [name, db] of databasesOf(env)) {
    Reflect.set(env, name, faultyDatabase(db, faults.database, maker));
  }
}

/**
 * Gives this isolate the faults that BATUTA_FAULTS asks for; nothing otherwise. Once, while it starts.
 *
 * @param env what the handlers and objects of this isolate are going to be given, changed in place
 * @param prototypes of the classes of its objects, changed in place
 * @throws when BATUTA_FAULTS is no such plan, or in production: then the isolate does not start
 */
export function armFaults(env: Env, prototypes: readonly object[]): void {
  const faults = readFaults(env);
  if (faults === null) return;
  const { now } = Date;
  let isTold = false;
  const trueNow = (): number => {
    // Not at the start of an isolate: it is no time then yet (Workers, Date.now in the global scope).
    if (!isTold) {
      isTold = true;
      const detail = words(faults);
      consoleLog("faults", now)("warning", "faults_injected", { seed: faults.seed, detail });
    }
    return now();
  };
  const from = faults.from === undefined ? 0 : Date.parse(faults.from);
  const lasting = { from, until: Date.parse(faults.until) };
  const maker: Maker = {
    dice: new Dice(lasting, trueNow, seededRandom(faults.seed)),
    pause: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
  };
  troubleBindings(env, faults, maker);
  for (const prototype of prototypes) makeFragile(prototype, faults.objects.abort, maker);
  troubleGlobals(faults, maker, trueNow);
  armed = words(faults);
}
