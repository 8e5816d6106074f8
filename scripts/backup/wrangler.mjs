/* A database of D1, asked through wrangler: the local one of `npm start`, or the deployed one with its login. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const root = path.join(import.meta.dirname, "../..");
const wrangler = ["--no-warnings", path.join(root, "node_modules/wrangler/wrangler-dist/cli.js")];

const DATABASE = {
  local: { type: "boolean" },
  remote: { type: "boolean" },
  state: { type: "string" },
  env: { type: "string" },
  database: { type: "string", default: "batuta" },
  binding: { type: "string", default: "DB" },
};

/**
 * What was asked for, and which database that is.
 *
 * @throws TypeError for what cannot be
 */
export function optionsOf(more) {
  const { values } = parseArgs({ options: { ...DATABASE, ...more }, strict: true });
  if (values.local && values.remote) throw new TypeError("say --local or --remote, not both");
  if (values.remote && values.state) throw new TypeError("--state belongs to --local");
  if (!/^[\w-]+$/.test(values.binding)) throw new TypeError("--binding is a name such as DB");
  const { database } = values;
  const state = path.resolve(root, values.state ?? process.env.BATUTA_STATE ?? ".state");
  const target = values.remote
    ? { database, where: ["--remote", "--env", values.env ?? "production"] }
    : { database, where: ["--local", "--persist-to", state, "--env", values.env ?? ""] };
  return { values, target };
}

/** Runs `work`; what it throws is told in a line. */
export async function failing(name, work) {
  try {
    await work();
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = error instanceof TypeError ? 2 : 1;
  }
}

/** Runs wrangler. @throws Error with the end of what it said when it fails */
async function call(args) {
  const child = spawn(process.execPath, [...wrangler, ...args], {
    cwd: root,
    env: {
      ...process.env,
      CI: "1",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      NO_COLOR: "1",
      WRANGLER_LOG: "log",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_WRITE_LOGS: "false",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: [], stderr: [] };
  child.stdout.on("data", (chunk) => said.stdout.push(chunk));
  child.stderr.on("data", (chunk) => said.stderr.push(chunk));
  const status = await new Promise((resolve) => child.once("close", resolve));
  const text = (of) => Buffer.concat(of).toString("utf8");
  if (status === 0) return text(said.stdout);
  const detail = `${text(said.stdout)}\n${text(said.stderr)}`.trim().slice(-2_000);
  throw new Error(`wrangler ${args.slice(0, 3).join(" ")} failed:\n${detail}`);
}

/** Gives a file of its own to a call that needs one, and removes it. */
async function withFile(name, content, work) {
  const folder = mkdtempSync(path.join(tmpdir(), "batuta-backup-"));
  const file = path.join(folder, name);
  try {
    if (content !== null) writeFileSync(file, content, { mode: 0o600 });
    return await work(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What asks and changes a database, as src/backup needs it. */
export function createDatabase({ database, where }) {
  const execute = (...args) => call(["d1", "execute", database, ...where, "--yes", ...args]);
  return {
    query: async (statements) => {
      const answer = await execute(
        "--json",
        "--command",
        statements.map((sql) => `${sql};`).join("\n"),
      );
      const results = JSON.parse(answer);
      if (results.length !== statements.length) {
        throw new Error(`wrangler answered ${results.length} of ${statements.length} questions`);
      }
      return results.map((one) => one.results);
    },
    run: async (statements) => {
      const text = statements.map((sql) => `${sql};\n`).join("");
      await withFile("rows.sql", text, (file) => execute("--file", file));
    },
  };
}

/** A file of a bucket as text; null when it is not there. */
export async function fileOfBucket({ where }, key) {
  return withFile("object", null, async (file) => {
    try {
      await call(["r2", "object", "get", key, ...where, "--file", file]);
    } catch (error) {
      if (/does not exist|not found|404/i.test(String(error))) return null;
      throw error;
    }
    return readFileSync(file, "utf8");
  });
}
