import { readFileSync, writeFileSync } from "node:fs";

import { appended, linesOf, manifestFaults } from "./corpus-manifest.ts";
import { corpusFiles, MANIFEST } from "./corpus.ts";

/* `npm run corpus`: lists new files of test/corpus in its manifest. What is listed already may not change. */

const lines = linesOf(readFileSync(MANIFEST, { encoding: "utf8", flag: "a+" }));
const files = corpusFiles();
const faults = manifestFaults(lines, files).filter((fault) => !fault.endsWith(": not listed"));
if (faults.length > 0) {
  process.stderr.write(`The corpus may only grow:\n  ${faults.join("\n  ")}\n`);
  process.exitCode = 1;
} else {
  const all = appended(lines, files);
  writeFileSync(MANIFEST, all.map((line) => `${line}\n`).join(""));
  process.stdout.write(`${all.length - lines.length} messages frozen, ${all.length} in all\n`);
}
