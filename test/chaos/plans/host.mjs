/**
 * A Batuta on the miniflare API in a process of its own, so that it can be killed: `node host.mjs <JSON>`.
 *
 * The JSON says `bundle` (the folder of the built Worker), `state`, `port`, `bindings`, and whether to `migrate` and
 * end. It answers as soon as GET /health does.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const root = path.join(import.meta.dirname, "../../..");
const { bundle, state, port, bindings, migrate } = JSON.parse(process.argv[2]);

// Read once by wrangler while it is imported.
process.env["WRANGLER_LOG"] ??= "error";
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["WRANGLER_WRITE_LOGS"] = "false";

const { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } = await import("wrangler");
// The very copy that wrangler runs: a second one would bring a second workerd.
const wranglerRequire = createRequire(createRequire(import.meta.url).resolve("wrangler"));
const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = wranglerRequire("miniflare");

const isEntry = (name) => name.endsWith(".js");
const scripts = readdirSync(bundle)
  .filter((name) => /\.m?js$/.test(name))
  .toSorted((one, other) => isEntry(other) - isEntry(one))
  .map((name) => path.join(bundle, name));

const { workerOptions } = unstable_getMiniflareWorkerOptions(path.join(root, "wrangler.toml"), "");
// The router in front of static files is a Worker of its own, and nothing here is a file.
const { assets: _, ...options } = workerOptions;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    cf: false,
    log: new Log(LogLevel.NONE),
    logRequests: false,
    resourcePersistencePath: state,
    handleStructuredLogs: ({ level, message }) => {
      const isProblem = level === "error" || /"level":"(error|warning)"/.test(message);
      if (isProblem) console.log(message);
    },
    workers: [
      {
        ...options,
        modules: scripts.map((script) => ({ type: "ESModule", path: script })),
        modulesRoot: path.dirname(scripts[0]),
        bindings: { ...options.bindings, ...bindings },
      },
    ],
  }),
);
await miniflare.ready;
if (migrate) {
  const database = await miniflare.getD1Database("DB");
  const folder = path.join(root, "migrations");
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  for (const name of files.toSorted()) {
    const statements = unstable_splitSqlQuery(readFileSync(path.join(folder, name), "utf8"));
    await database.batch(statements.map((statement) => database.prepare(statement)));
  }
  await miniflare.dispose();
}
