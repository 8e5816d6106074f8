/**
 * Makes a fresh clone ready: installs the locked dependencies when they are missing or stale, copies the files of
 * Swagger UI that the Worker serves under /docs, and builds the console and the module that is read only when needed.
 *
 * Runs before every npm script that needs either, so it has to work under Node 20 with nothing installed.
 * With `--assets` (npm's own `prepare` step) it installs nothing.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

const root = path.join(import.meta.dirname, "..");
const modules = path.join(root, "node_modules");
const SWAGGER_FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** Whether what npm last installed (its hidden lockfile) is what package-lock.json asks for. */
function isInstalled() {
  const installedLock = path.join(modules, ".package-lock.json");
  if (!existsSync(installedLock) || !existsSync(path.join(modules, ".bin", "node"))) return false;

  const installed = readPackages(installedLock);
  return Object.entries(readPackages(path.join(root, "package-lock.json"))).every(
    ([name, wanted]) =>
      name === "" ||
      // npm leaves out what another platform needs.
      (wanted.optional && installed[name] === undefined) ||
      installed[name]?.version === wanted.version,
  );
}

function install() {
  console.error("setup: installing the locked dependencies");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    // Standard output belongs to the script that needed us.
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    console.error("setup: npm ci failed");
    process.exit(status ?? 1);
  }
}

function copySwagger() {
  const target = path.join(root, "assets", "swagger");
  mkdirSync(target, { recursive: true });
  for (const name of SWAGGER_FILES) {
    const source = path.join(modules, "swagger-ui-dist", name);
    const copy = path.join(target, name);
    if (!existsSync(source)) continue; // A production install leaves it out.
    if (existsSync(copy) && statSync(copy).size === statSync(source).size) continue;
    copyFileSync(source, copy);
  }
}

/** wrangler does it again, but the checks of the source come without one, and have to find it. */
async function buildParts() {
  // As for Swagger UI.
  if (!existsSync(path.join(modules, "esbuild"))) return;
  await import("./build-lazy.mjs");
  await import("./build-console.mjs");
}

if (!process.argv.includes("--assets") && !isInstalled()) install();
copySwagger();
await buildParts();
