/**
 * Builds src/executor.lazy.mjs, which wrangler uploads beside the entry, from src/executor.lazy.ts, as wrangler itself
 * bundles the entry: its [build] command (wrangler.toml), and a part of scripts/setup.mjs.
 *
 * Writes nothing when nothing has changed: `wrangler dev` watches the folder that it writes into, and builds again.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

import { build } from "esbuild";

const root = path.join(import.meta.dirname, "..");
const target = path.join(root, "src/executor.lazy.mjs");

/** The table [alias] of wrangler.toml: whole names, where esbuild's own `alias` would take all that begin so. */
const aliases = {
  name: "aliases",
  setup({ onResolve }) {
    const config = readFileSync(path.join(root, "wrangler.toml"), "utf8");
    const [, table = ""] = /^\[alias\]\n((?:".+" = ".+"\n)*)/m.exec(config) ?? [];
    for (const [, name, file] of table.matchAll(/^"(.+)" = "(.+)"$/gm)) {
      onResolve({ filter: new RegExp(`^${name}$`) }, () => ({
        path: path.join(root, file),
      }));
    }
  },
};

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ["src/executor.lazy.ts"],
  bundle: true,
  write: false,
  format: "esm",
  minify: true,
  target: "es2024",
  supported: { "import-source": true, using: true },
  conditions: ["workerd", "worker", "browser"],
  define: {
    "navigator.userAgent": '"Cloudflare-Workers"',
    "process.env.NODE_ENV": '"production"',
  },
  external: ["node:*", "cloudflare:*"],
  plugins: [aliases],
  legalComments: "none",
  logLevel: "warning",
});
const [{ text }] = outputFiles;
if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  // Nobody may read half of it.
  const draft = `${target}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, target);
}
