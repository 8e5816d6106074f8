import type { InjectedFaults } from "../protocol/injected-faults.ts";
import type { Lasting } from "./dice.ts";
import { intercepted } from "./intercepted.ts";
import { injectedError, troubledCall, type Maker } from "./troubled-call.ts";

/** What asks the database; everything else only prepares it. */
const CALLS: ReadonlySet<string> = new Set(["first", "run", "all", "raw", "batch", "exec"]);

/** A D1 database that fails, loses answers, is slow, and is away for a while. */
export function faultyDatabase<Target extends object>(
  database: Target,
  { outages, ...shares }: InjectedFaults["database"],
  maker: Maker,
): Target {
  const windows: Lasting[] = outages.map(({ from, until }) => ({
    from: Date.parse(from),
    until: Date.parse(until),
  }));
  const error = () => injectedError("D1_ERROR");
  const wrapped = <Part extends object>(part: Part): Part =>
    intercepted(part, (name, go, args) => {
      if (!CALLS.has(name)) {
        const made = go(...args);
        // A statement, or one with its values; a batch reads both through their stand-ins.
        return typeof made === "object" && made !== null ? wrapped(made) : made;
      }
      if (windows.some((outage) => maker.dice.isIn(outage))) return Promise.reject(error());
      return troubledCall(maker, shares, () => go(...args), error);
    });
  return wrapped(database);
}
