/** The two Workers that a bench compares, each as a bundle on the miniflare API: never through `wrangler dev`. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { gzipSync } from "node:zlib";

/** The checkout that this file is in. */
export const root = path.join(import.meta.dirname, "../..");
/** The bootstrap key of every Batuta that is started here. */
export const ADMIN_KEY = "bk_bench_admin_key";
const SEAL_KEY = "a key that seals secrets in benches alone";

// Read once by wrangler while it is imported.
process.env["WRANGLER_LOG"] ??= "error";
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["WRANGLER_WRITE_LOGS"] = "false";
process.env["BATUTA_ADMIN_KEY"] = ADMIN_KEY;
process.env["BATUTA_SEAL_KEY"] = SEAL_KEY;

const { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } = await import("wrangler");
// The very copy that wrangler runs: a second one would bring a second workerd.
const wranglerRequire = createRequire(createRequire(import.meta.url).resolve("wrangler"));
const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = wranglerRequire("miniflare");

/** The bare Worker's configuration; Batuta's own is wrangler.toml. */
const FLOOR = {
  name: "floor",
  main: path.join(import.meta.dirname, "floor.mjs"),
  compatibility_date: readCompatibilityDate(),
  durable_objects: { bindings: [{ name: "NOTE", class_name: "NoteObject" }] },
  exports: { NoteObject: { type: "durable-object", storage: "sqlite" } },
};

function readCompatibilityDate() {
  const config = readFileSync(path.join(root, "wrangler.toml"), "utf8");
  return /^compatibility_date = "(.+)"$/m.exec(config)[1];
}

/**
 * Builds a Worker as `npm run build` does.
 *
 * @param options `tree`: the checkout that it is built in; `isMinified`: false for a profile, where names have to say
 *   something
 * @returns {{ config: string, scripts: string[], gzipBytes: number, uploadBytes: number }} the paths of its modules,
 *   the entry first; the compressed size of the entry, and of all
 */
function build(config, outdir, { tree = root, isMinified = true } = {}) {
  const wrangler = path.join(root, "node_modules/wrangler/wrangler-dist/cli.js");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--no-warnings", wrangler, "deploy", "--dry-run", "--env", ""]
      .concat(["--config", config])
      .concat(["--outdir", outdir])
      .concat(isMinified ? [] : ["--minify=false"]),
    { cwd: tree, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`the build of ${config} failed:\n${stdout}\n${stderr}`);
  const isEntry = (name) => name.endsWith(".js");
  const names = readdirSync(outdir).filter((name) => /\.m?js$/.test(name));
  const scripts = names
    .toSorted((one, other) => isEntry(other) - isEntry(one))
    .map((name) => path.join(outdir, name));
  const sizes = scripts.map((script) => gzipSync(readFileSync(script)).length);
  return { config, scripts, gzipBytes: sizes[0], uploadBytes: sizes.reduce((sum, n) => sum + n) };
}

/** A Worker that answers on a loopback port, and the CPU time of its process. */
class Server {
  #miniflare;
  #pid;
  #state;
  problems = [];

  async start({ config, scripts, state, bindings, isInspected = false }) {
    this.#state = state;
    const { workerOptions } = unstable_getMiniflareWorkerOptions(config, "");
    // The router in front of static files is a Worker of its own, and none of what is measured is a file.
    const { assets: _, ...options } = workerOptions;
    const before = new Set(workerdsBelow(process.pid));
    this.#miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        port: 0,
        cf: false,
        ...(isInspected && { inspectorPort: 0 }),
        log: new Log(LogLevel.ERROR),
        logRequests: false,
        resourcePersistencePath: state,
        handleStructuredLogs: (line) => this.#keepProblem(line),
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
    this.url = await this.#miniflare.ready;
    this.#pid = workerdsBelow(process.pid).find((pid) => !before.has(pid));
    return this;
  }

  /** CPU time that workerd has used so far, milliseconds; null where there is no /proc. */
  cpuMs() {
    return this.#pid === undefined ? null : cpuMsOf(this.#pid);
  }

  /** Bytes that workerd has in memory; null where there is no /proc. */
  memoryBytes() {
    if (this.#pid === undefined) return null;
    const status = readFileSync(`/proc/${this.#pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1_024;
  }

  /** Bytes of the files in which it keeps its state. */
  stateBytes() {
    const files = readdirSync(this.#state, { recursive: true, withFileTypes: true });
    // An object that goes to rest takes a file of its own with it.
    const sizeOf = ({ parentPath, name }) =>
      statSync(path.join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0;
    return files.filter((file) => file.isFile()).reduce((sum, file) => sum + sizeOf(file), 0);
  }

  /** Where the inspector of a server listens that was started with one. */
  inspector() {
    return this.#miniflare.getInspectorURL();
  }

  /** Applies the migrations in order. */
  async migrate(folder) {
    const database = await this.#miniflare.getD1Database("DB");
    const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
    for (const name of files.toSorted()) {
      const statements = unstable_splitSqlQuery(readFileSync(path.join(folder, name), "utf8"));
      await database.batch(statements.map((statement) => database.prepare(statement)));
    }
  }

  /** The database itself, to be filled and asked beside the Worker. */
  database() {
    return this.#miniflare.getD1Database("DB");
  }

  /** An endpoint's object, to be called as the Worker calls it. */
  async endpoint(tenant, webhook_id) {
    const namespace = await this.#miniflare.getDurableObjectNamespace("ENDPOINT");
    return namespace.get(namespace.idFromName(`${tenant}/${webhook_id}`));
  }

  async stop() {
    await this.#miniflare.dispose();
  }

  #keepProblem({ level, message }) {
    const isProblem = level === "error" || /"level":"(error|warning)"/.test(message);
    // workerd so marks what concerns nobody but itself, e.g. an alarm that is late under load.
    if (isProblem && !message.startsWith("NOSENTRY")) this.problems.push(message);
  }
}

/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;

function cpuMsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

function workerdsBelow(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text
      .split(" ")
      .filter(
        (child) => child !== "" && readFileSync(`/proc/${child}/comm`, "utf8") === "workerd\n",
      )
      .map(Number);
  } catch {
    return [];
  }
}

/** Batuta's configuration for another main module. */
function configFor(main) {
  const config = readFileSync(path.join(root, "wrangler.toml"), "utf8");
  return config
    .replace(/^main = .*$/m, `main = ${JSON.stringify(main)}`)
    .replace(/^directory = .*$/m, `directory = ${JSON.stringify(path.join(root, "assets"))}`);
}

/** Builds both Workers into a folder, and starts as many of them as are wanted, each with its own state. */
export class Workshop {
  #folder;
  #tree;
  #batuta;
  #floor;
  #servers = [];

  /** @param options as those of `build` */
  constructor(folder, { tree = root, isMinified = true } = {}) {
    this.#folder = folder;
    this.#tree = tree;
    const floorConfig = path.join(folder, "floor.json");
    writeFileSync(floorConfig, JSON.stringify(FLOOR));
    this.#floor = build(floorConfig, path.join(folder, "floor-bundle"));
    const outdir = path.join(folder, "bundle");
    this.#batuta = build(path.join(tree, "wrangler.toml"), outdir, { tree, isMinified });
  }

  /** The path of the entry of Batuta's bundle; its source map lies beside it. */
  get script() {
    return this.#batuta.scripts[0];
  }

  /** Compressed size of what Batuta's isolates read when they start. */
  get gzipBytes() {
    return this.#batuta.gzipBytes;
  }

  /** Compressed size of that and of what they read when they need it. */
  get uploadBytes() {
    return this.#batuta.uploadBytes;
  }

  /** Lines of the logs that tell of errors or warnings. */
  get problems() {
    return this.#servers.flatMap(({ problems }) => problems);
  }

  /**
   * A Batuta of one's own, so that one measurement's afterwork is not on the bill of another.
   *
   * @param variables what an operator would set beside what all get here
   */
  startBatuta(variables = {}) {
    return this.#startWithData(this.#batuta, variables);
  }

  /** The same with an inspector, for a profile. */
  startInspected() {
    return this.#startWithData(this.#batuta, {}, { isInspected: true });
  }

  /** The face of Batuta over a room that answers at once; it is built when it is asked for. */
  startEdge() {
    return this.startWorker(path.join(import.meta.dirname, "edge-worker.mjs"));
  }

  /** Batuta with another main module around it. It is built when it is asked for. */
  startWorker(main, variables = {}) {
    const name = path.basename(main, ".mjs");
    const config = path.join(this.#folder, `${name}.toml`);
    writeFileSync(config, configFor(main));
    return this.#startWithData(build(config, path.join(this.#folder, name)), variables);
  }

  startFloor() {
    return this.#start(this.#floor, {});
  }

  async stop() {
    await Promise.allSettled(this.#servers.map((server) => server.stop()));
  }

  async #startWithData(built, variables = {}, how = {}) {
    const bindings = {
      ALLOW_LOCAL_ENDPOINTS: "true",
      LIMITS_FACTOR: "1000",
      ...variables,
      BATUTA_ADMIN_KEY: ADMIN_KEY,
      BATUTA_SEAL_KEY: SEAL_KEY,
    };
    const server = await this.#start(built, bindings, how);
    await server.migrate(path.join(this.#tree, "migrations"));
    return server;
  }

  async #start({ config, scripts }, bindings, how = {}) {
    const state = path.join(this.#folder, `state-${this.#servers.length}`);
    const server = new Server();
    this.#servers.push(server);
    return server.start({ config, scripts, state, bindings, ...how });
  }
}
