import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");

/** What tests drive from outside, as wrangler.toml or the build names it, and not by an import. */
const DRIVEN = [
  "src/index.ts",
  "src/executor/execution-consumer.ts",
  "src/executor.lazy.ts",
  // By a browser: test/unit/console-built.test.ts builds them.
  "src/console/main.tsx",
  "src/console/boot.ts",
];

/** What a file imports, from the project's root. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, file), "utf8");
  return [...text.matchAll(/(?:from |import\()"(\.[^"]+\.tsx?)"/g)].map(([, target = ""]) =>
    path.join(path.dirname(file), target),
  );
}

const modules = globSync("src/**/*.{ts,tsx}", { cwd: root }).filter(
  (file) => !file.endsWith(".d.ts"),
);
const roomOf = (file: string): string => file.split("/").slice(0, -1)[1] ?? "";

/** Modules that tests name, and what these are made of inside their own room. */
function proven(): Set<string> {
  const tests = globSync("test/**/*.ts", { cwd: root });
  const found = new Set(
    [...DRIVEN, ...tests.flatMap(importsOf)].filter((file) => modules.includes(file)),
  );
  for (const file of found) {
    for (const part of importsOf(file)) {
      if (modules.includes(part) && roomOf(part) === roomOf(file)) found.add(part);
    }
  }
  return found;
}

describe("every module", () => {
  it("has a test that names it, or is part of one that has", () => {
    const known = proven();

    expect(modules.length).toBeGreaterThan(100);
    expect(modules.filter((file) => !known.has(file))).toEqual([]);
  });
});
