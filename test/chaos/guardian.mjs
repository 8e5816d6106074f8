/**
 * Ends a server whose test cannot do it any more: interrupted, killed, or crashed.
 *
 * Gets the folder of its state and temporary files as an argument, and the leader of each process group as a line of
 * standard input. When that is closed, which the system does for whoever dies, it kills the groups and removes the
 * folder.
 */
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";

const [, , folder] = process.argv;
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
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});
