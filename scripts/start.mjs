/**
 * Serves Batuta on 127.0.0.1 with no account: prepares the local state, then becomes `wrangler dev`.
 *
 * Environment: PORT (8787), BATUTA_STATE (.state), BATUTA_ADMIN_KEY (else .dev.vars, else generated into it),
 * BATUTA_SEAL_KEY (else seal.key in the state folder, generated), HISTORY_SHARDS, LIMITS_FACTOR, BATUTA_SAM, JWT_ISSUER,
 * JWT_AUDIENCE, JWT_JWKS_URL (all three or none), JWT_TENANT_CLAIM, BATUTA_MODELS and BATUTA_FAULTS (JSON, see
 * README.md) and VALIDATION_SAMPLE (1 here: all are written down). Ready when GET /health answers 200. Exits with 2
 * when it is asked for what cannot be.
 */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  accessSync,
  appendFileSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import path from "node:path";

import { databasesOf } from "./deploy/databases.mjs";

const HOST = "127.0.0.1";
const KEY_NAME = "BATUTA_ADMIN_KEY";
const SEAL_KEY_NAME = "BATUTA_SEAL_KEY";
const SEAL_KEY_WORDS = "keys of 32 characters or more, separated by commas";
const JWT_NAMES = ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "JWT_TENANT_CLAIM"];
const root = path.join(import.meta.dirname, "..");
// The file itself and not wrangler's bin, which would stay between us and the server as a parent process.
const wrangler = ["--no-warnings", path.join(root, "node_modules/wrangler/wrangler-dist/cli.js")];

const port = parsePort(process.env.PORT || "8787");
await refuseTakenPort(port);
refuseImpossible("BATUTA_SAM", /^(on|off)$/, "on or off");
refuseImpossible(SEAL_KEY_NAME, /^[^",]{32,}(,[^",]{32,})*$/, SEAL_KEY_WORDS);
refuseImpossible("LIMITS_FACTOR", /^(?=.*[1-9])\d{1,6}(\.\d{1,6})?$/, "a positive number");
refuseImpossible("VALIDATION_SAMPLE", /^\d{1,6}$/, "a whole number");
const state = path.resolve(root, process.env.BATUTA_STATE || ".state");
makeStateFolder();

const env = {
  ...process.env,
  CI: "1",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_LOG: process.env.WRANGLER_LOG ?? "warn",
  WRANGLER_WRITE_LOGS: "false",
  // Two servers on one machine must not find each other.
  WRANGLER_REGISTRY_PATH: path.join(state, "registry"),
  WRANGLER_SEND_METRICS: "false",
  X_LOCAL_EXPLORER: "false",
  X_LOCAL_OBSERVABILITY: "false",
};
await applyMigrations();
const secrets = { [KEY_NAME]: adminKey(), [SEAL_KEY_NAME]: sealKey() };
const envFile = writeEnvFile(secrets, jsonLine("BATUTA_MODELS") + jsonLine("BATUTA_FAULTS"));

console.log(`Batuta: http://${HOST}:${port} (ready when /health answers 200; state in ${state})`);
process.chdir(root);
process.execve(
  process.execPath,
  [process.execPath, ...wrangler, "dev", "--local", "--env", "", "--env-file", envFile]
    .concat(["--ip", HOST, "--port", String(port), "--inspector-port", "0"])
    .concat(["--persist-to", state, "--show-interactive-dev-session=false"])
    .concat(variables().flatMap((variable) => ["--var", variable])),
  env,
);

function refuse(message) {
  console.error(`Batuta does not start: ${message}`);
  process.exit(2);
}

/** The Worker would refuse it too, but only at its first request. */
function refuseImpossible(name, form, words) {
  const text = process.env[name];
  if (!text || form.test(text)) return;
  // A key must not end up in somebody's log.
  refuse(`${name} must be ${words}${name.endsWith("_KEY") ? "" : `, not "${text}"`}.`);
}

function makeStateFolder() {
  try {
    mkdirSync(state, { recursive: true });
    accessSync(state, constants.W_OK);
  } catch (error) {
    refuse(`BATUTA_STATE ${state} cannot be written (${error.code}).`);
  }
}

function parsePort(text) {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1 || number > 65_535) {
    refuse(`PORT must be a whole number from 1 to 65535, not "${text}".`);
  }
  return number;
}

/** The server would quietly take another port. */
function refuseTakenPort(number) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error) => refuse(`port ${number} cannot be used (${error.code}).`));
    probe.listen(number, HOST, () => probe.close(resolve));
  });
}

/** What overrides [vars] of wrangler.toml here. Nothing secret: the process list shows it. */
function variables() {
  return [
    "ALLOW_LOCAL_ENDPOINTS:true",
    `VALIDATION_SAMPLE:${process.env.VALIDATION_SAMPLE || "1"}`,
    ...["BATUTA_SAM", "HISTORY_SHARDS", "LIMITS_FACTOR", ...JWT_NAMES]
      .filter((name) => process.env[name])
      .map((name) => `${name}:${process.env[name]}`),
  ];
}

function adminKey() {
  if (process.env[KEY_NAME]) return process.env[KEY_NAME];

  const file = path.join(root, ".dev.vars");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const kept = new RegExp(`^\\s*${KEY_NAME}\\s*=\\s*(["']?)(.+?)\\1\\s*$`, "m").exec(text);
  if (kept) return kept[2];

  const key = `bk_${randomBytes(32).toString("base64url")}`;
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  appendFileSync(file, `${separator}${KEY_NAME}="${key}"\n`, { mode: 0o600 });
  console.log(`Batuta: made an admin key and kept it in .dev.vars: ${key}`);
  return key;
}

/** What seals the secrets in this state stays with it: without it they could never be opened again. */
function sealKey() {
  if (process.env[SEAL_KEY_NAME]) return process.env[SEAL_KEY_NAME];

  const file = path.join(state, "seal.key");
  if (!existsSync(file)) {
    writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  }
  return readFileSync(file, "utf8").trim();
}

/** A variable that holds JSON, on one line; what else would be wrong with it the Worker says. */
function jsonLine(name) {
  const text = process.env[name];
  if (!text) return "";
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    refuse(`${name} must be JSON.`);
  }
  // Inside single quotes a line of such a file is taken as it is; in JSON an apostrophe can be written otherwise.
  return `${name}='${JSON.stringify(parsed).replaceAll("'", "\\u0027")}'\n`;
}

/** The keys travel in a file that only we can read, not in the arguments; models have keys too. */
function writeEnvFile(keys, more) {
  const lines = Object.entries(keys).map(([name, key]) => {
    if (/["\r\n]/.test(key)) refuse(`${name} must be one line without double quotes.`);
    return `${name}="${key}"\n`;
  });
  const file = path.join(state, "server.env");
  writeFileSync(file, lines.join("") + more, { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}

/** Brings the local D1 up to date; costs nothing when this state has seen these very files before. */
async function applyMigrations() {
  const folder = path.join(root, "migrations");
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith(".sql"))
        .toSorted()
    : [];
  if (files.length === 0) return;

  const { databases } = databasesOf(readFileSync(path.join(root, "wrangler.toml"), "utf8"), null);
  const hash = createHash("sha256").update(JSON.stringify(databases));
  for (const name of files) hash.update(name).update(readFileSync(path.join(folder, name)));
  const stamp = path.join(state, "migrations.sha256");
  const wanted = hash.digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;

  for (const { name } of databases) {
    await runWrangler(["d1", "migrations", "apply", name, "--local", "--persist-to", state]);
  }
  writeFileSync(stamp, wanted);
}

/** Runs a wrangler command to its end and shows its output only if it fails. A signal to us ends it too. */
async function runWrangler(args) {
  const child = spawn(process.execPath, [...wrangler, ...args, "--env", ""], {
    cwd: root,
    env: { ...env, WRANGLER_LOG: "log" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = (signal) => {
    child.kill(signal);
    process.exit(1);
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const status = await new Promise((resolve) => child.once("close", resolve));
  process.off("SIGTERM", stop).off("SIGINT", stop);
  if (status !== 0) {
    console.error(output);
    console.error(`Batuta does not start: wrangler ${args.join(" ")} failed.`);
    process.exit(1);
  }
}
