/**
 * Builds the console (src/console) into assets/console: its page's script and style under fixed names, what is read
 * later under names that change with their content. A part of wrangler's [build] command and of scripts/setup.mjs.
 *
 * Writes only what has changed, and removes what is no longer made: `wrangler dev` watches the folder.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

import { build } from "esbuild";

const root = path.join(import.meta.dirname, "..");
const target = path.join(root, "assets/console");

const shared = {
  absWorkingDir: root,
  outdir: target,
  bundle: true,
  write: false,
  minify: true,
  target: "es2023",
  legalComments: "none",
  logLevel: "warning",
};
const modules = await build({
  ...shared,
  entryPoints: {
    main: "src/console/main.tsx",
    console: "src/console/styles/console.css",
  },
  chunkNames: "chunks/[name]-[hash]",
  splitting: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
});
// Runs before the first paint, which a module never does.
const boot = await build({
  ...shared,
  entryPoints: { boot: "src/console/boot.ts" },
  format: "iife",
});
const outputFiles = [...modules.outputFiles, ...boot.outputFiles];

mkdirSync(path.join(target, "chunks"), { recursive: true });
for (const { path: file, text } of outputFiles) {
  if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
  // Nobody may read half of it.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}
const made = new Set(outputFiles.map(({ path: file }) => file));
for (const name of readdirSync(target, { recursive: true, withFileTypes: true })) {
  const file = path.join(name.parentPath, name.name);
  // Drafts are another build's, which goes on beside this one.
  if (name.isFile() && !made.has(file) && !/\.\d+$/.test(name.name)) rmSync(file, { force: true });
}
