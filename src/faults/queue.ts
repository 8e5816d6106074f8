import * as z from "zod";

import type { InjectedFaults } from "../protocol/injected-faults.ts";
import { intercepted } from "./intercepted.ts";
import { injectedError, type Maker } from "./troubled-call.ts";

/** Seconds by which a delayed message is late, at most: behind many others, and not behind every watchdog. */
const LONGEST_DELAY_S = 5;

const optionsSchema = z.looseObject({ delaySeconds: z.number().default(0) }).prefault({});

/** A queue that loses, repeats and delays what is sent to it. */
export function faultyQueue<Target extends object>(
  queue: Target,
  { fail, drop, duplicate, delay }: InjectedFaults["queues"],
  { dice }: Maker,
): Target {
  return intercepted(queue, (name, go, args) => {
    if (name !== "send" && name !== "sendBatch") return go(...args);
    const fault = dice.pick({ fail, drop, duplicate, delay });
    switch (fault) {
      case "fail":
        return Promise.reject(injectedError("the queue took no message"));
      case "drop":
        return Promise.resolve();
      case "duplicate":
        return Promise.resolve(go(...args)).then(() => go(...args));
      case "delay": {
        const [what, given] = args;
        const options = optionsSchema.parse(given);
        const delaySeconds = options.delaySeconds + dice.upTo(LONGEST_DELAY_S);
        return go(what, { ...options, delaySeconds });
      }
      case null:
        return go(...args);
    }
  });
}
