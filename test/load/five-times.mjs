/**
 * Runs the whole suite five times in a row: it must pass each time, and each time within its limit.
 *
 * Proves that no test depends on the clock, on the order, or on what another run left behind.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { performance } from "node:perf_hooks";

const RUNS = 5;
/** A run on two busy cores takes about three minutes; more than this means that something waits. */
const LIMIT_MS = 600_000;

const root = path.join(import.meta.dirname, "../..");
const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
const title = "passes five times in a row, each time within its limit";

for (let run = 1; run <= RUNS; run += 1) {
  const begun = performance.now();
  const { status } = spawnSync(
    process.execPath,
    [vitest, "run", "--config", "test/vitest.config.ts", "--reporter=dot", "--silent"],
    { cwd: root, stdio: ["ignore", "ignore", "inherit"], timeout: LIMIT_MS },
  );
  const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
  console.log(`run ${run} of ${RUNS}: ${status === 0 ? "passed" : "failed"} in ${seconds} s`);
  if (status !== 0) {
    console.error(`broken: the suite ${title}`);
    process.exit(1);
  }
}
console.log(`the suite ${title}`);
