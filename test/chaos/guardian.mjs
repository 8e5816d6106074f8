/**
 * Ends a server whose test cannot do it any more: interrupted, killed, or crashed.
 *
 * Gets the state folder as its argument and the leader of each process group as a line of its standard input. When
 * that is closed, which the system does for whoever dies, it kills the groups and removes the folder.
 */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

const [, , state] = process.argv;
const groups = [];
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => groups.push(Number(line)));
lines.on("close", () => {
  for (const group of groups) {
    try {
      process.kill(-group, "SIGKILL");
    } catch {
      // The whole group is gone already.
    }
  }
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
});
