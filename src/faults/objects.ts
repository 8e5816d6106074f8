import type { InjectedFaults } from "../protocol/injected-faults.ts";
import { intercepted } from "./intercepted.ts";
import { injectedError, troubledCall, type Maker } from "./troubled-call.ts";

/** An object is torn down so long after a call began at the latest, milliseconds: mostly in the middle of it. */
const DURING_MS = 20;

/** A namespace of objects whose callers find them unreachable or slow, or never hear what they answer. */
export function faultyNamespace<Target extends object>(
  namespace: Target,
  shares: InjectedFaults["outbound"],
  maker: Maker,
): Target {
  const error = () => injectedError("the object was not reached", { retryable: true });
  const stubOf = <Stub extends object>(stub: Stub): Stub =>
    intercepted(stub, (_name, go, args) => troubledCall(maker, shares, () => go(...args), error));
  return intercepted(namespace, (name, go, args) => {
    const made = go(...args);
    const isStub = (name === "get" || name === "getByName") && typeof made === "object";
    return isStub && made !== null ? stubOf(made) : made;
  });
}

/** An object as the platform built it. */
interface Living {
  ctx: { abort: (reason: string) => void };
}

/** What `abort` says. Its callers get it as an error that says that the object was reset. */
const REASON = "the object was reset: injected by BATUTA_FAULTS";

/** Does what the platform does to an object that it needs the room of: it is gone, with everything in its memory. */
function breakDown(living: Living): never {
  living.ctx.abort(REASON);
  throw injectedError("the object was reset");
}

function brokenCall(living: Living, call: () => unknown, { dice, pause }: Maker): unknown {
  const when = dice.pick({ before: 1 / 3, during: 1 / 3, after: 1 / 3 });
  switch (when) {
    case "before":
      return breakDown(living);
    case "during":
      void pause(dice.upTo(DURING_MS)).then(() => living.ctx.abort(REASON));
      return call();
    case "after":
      return Promise.resolve(call()).then(() => breakDown(living));
    case null:
      return call();
  }
}

/**
 * Has all objects of a class torn down now and then when they are called, alarms included.
 *
 * @param prototype of a class of Durable Objects; changed in place, before any of them lives
 */
export function makeFragile(prototype: object, abort: number, maker: Maker): void {
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const method: unknown = descriptor.value;
    if (name === "constructor" || typeof method !== "function") continue;
    const value = function troubled(this: Living, ...args: unknown[]): unknown {
      const call = (): unknown => Reflect.apply(method, this, args);
      return maker.dice.pick({ abort }) === null ? call() : brokenCall(this, call, maker);
    };
    Object.defineProperty(prototype, name, { ...descriptor, value });
  }
}
