/**
 * Ends what the kit has started when the kit cannot do it any more: interrupted, killed, or crashed.
 *
 * Gets the leader of each process group as a line of standard input, and `-` before the ones that have ended. When that
 * is closed, which the system does for whoever dies, it kills the groups that are left.
 */
import { createInterface } from "node:readline";

const groups = new Set<number>();
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  if (line.startsWith("-")) groups.delete(Number(line.slice(1)));
  else groups.add(Number(line));
});
lines.on("close", () => {
  for (const group of groups) {
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // The whole group is gone already.
    }
  }
});
