/**
 * `npm run compare -- --base <revision>`: the hot paths before and after a change, in one run.
 *
 * Builds the bundle of a git revision and that of the working tree, starts both, and gives each its turn in every round:
 * first the floor, then one of the two, then the other, in changing order. Only ratios inside a round mean anything on a
 * machine that others use too, so what is said are their medians.
 *
 * `--paths accept,notify` measures these alone, `--rounds 9` takes longer, `--out <file>` keeps the result as JSON.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

import { median } from "./client.mjs";
import { floorsOf, floorTurn, HOT_PATHS, pathsOf } from "./hot-paths.mjs";
import { root, Workshop } from "./servers.mjs";
import { Sink } from "./sink.mjs";
import { stateFolder } from "./state-folder.mjs";
import { round, table } from "./table.mjs";

const { values: options } = parseArgs({
  options: {
    base: { type: "string", default: "main" },
    paths: { type: "string" },
    rounds: { type: "string", default: "5" },
    out: { type: "string" },
  },
});

const rounds = Number(options.rounds);
const names = pathsOf(options.paths);

const folder = mkdtempSync(path.join(stateFolder(), "batuta-compare-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

function git(...words) {
  const { status, stdout, stderr } = spawnSync("git", words, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${words.join(" ")} failed: ${stderr}`);
  return stdout.trim();
}

/** The files of a revision, with the packages that are installed here. */
function checkout(revision) {
  const tree = path.join(folder, "tree");
  mkdirSync(tree);
  const archive = path.join(folder, "tree.tar");
  git("archive", "--output", archive, revision);
  const { status } = spawnSync("tar", ["-xf", archive, "-C", tree]);
  if (status !== 0) throw new Error(`the files of ${revision} could not be unpacked`);
  symlinkSync(path.join(root, "node_modules"), path.join(tree, "node_modules"));
  return tree;
}

/** A workshop in a folder of its own, so that the states of two servers do not meet. */
function workshopOf(name, how) {
  const own = path.join(folder, name);
  mkdirSync(own);
  return new Workshop(own, how);
}

/** Measures one path: both bundles and the floor in every round. */
async function comparePath(name, workshops, sinks) {
  const { phase, units } = HOT_PATHS[name];
  const servers = [];
  const runs = {};
  for (const side of ["base", "change"]) {
    const workshop = workshops[side];
    const startBatuta = async () => servers[servers.push(await workshop.startBatuta()) - 1];
    runs[side] = await phase({ startBatuta }, sinks[side]);
  }
  const floors = await floorsOf(workshops.change);
  // Twice: the first time finds cold code, and the compiler is at work during the second.
  for (let turn = 0; turn < 2; turn += 1) for (const run of Object.values(runs)) await run(units);
  const turns = [];
  for (let turn = 0; turn < rounds; turn += 1) {
    const floor = await floorTurn(floors, name);
    const order = turn % 2 === 0 ? ["base", "change"] : ["change", "base"];
    const figures = { floor };
    for (const side of order) figures[side] = await runs[side](units);
    turns.push(figures);
  }
  for (const server of [...servers, ...floors.servers]) await server.stop();
  return figuresOf(turns);
}

function figuresOf(turns) {
  const of = (figure) => round(median(turns.map(figure)), 3);
  const side = (name) => ({
    cpuMs: of((turn) => turn[name].cpuMs),
    perSecond: of((turn) => turn[name].perSecond),
    cpuToFloor: of((turn) => turn[name].cpuMs / turn.floor.cpuMs),
    rateToFloor: of((turn) => turn[name].perSecond / turn.floor.perSecond),
  });
  return {
    floor: {
      cpuMs: of(({ floor }) => floor.cpuMs),
      perSecond: of(({ floor }) => floor.perSecond),
    },
    base: side("base"),
    change: side("change"),
    cpuChangeToBase: of(({ base, change }) => change.cpuMs / base.cpuMs),
    rateChangeToBase: of(({ base, change }) => change.perSecond / base.perSecond),
  };
}

const sinks = { base: await new Sink().start(), change: await new Sink().start() };
const workshops = {};
try {
  const tree = checkout(options.base);
  workshops.base = workshopOf("base", { tree });
  workshops.change = workshopOf("change");
  const paths = {};
  for (const name of names) {
    paths[name] = await comparePath(name, workshops, sinks);
    console.error(`measured ${name}`);
  }
  report(paths);
} catch (error) {
  console.error("compare:", error);
  process.exitCode = 1;
} finally {
  for (const workshop of Object.values(workshops)) {
    for (const problem of workshop.problems.slice(0, 5)) console.error(problem);
    await workshop.stop();
  }
  for (const sink of Object.values(sinks)) sink.stop();
}

function report(paths) {
  const isDirty = git("status", "--porcelain", "--", "src", "bundle", "wrangler.toml") !== "";
  const result = {
    base: git("rev-parse", "--short", options.base),
    change: `${git("rev-parse", "--short", "HEAD")}${isDirty ? " and what is not committed" : ""}`,
    rounds,
    paths,
  };
  const heads = [
    "path",
    "floor",
    "base CPU-ms",
    "change CPU-ms",
    "CPU",
    "CPU : floor",
    "rate",
    "rate : floor",
  ];
  const rows = Object.entries(paths).map(([name, { floor, base, change, ...both }]) => [
    name,
    floor.cpuMs,
    base.cpuMs,
    change.cpuMs,
    both.cpuChangeToBase,
    `${base.cpuToFloor} -> ${change.cpuToFloor}`,
    both.rateChangeToBase,
    `${base.rateToFloor} -> ${change.rateToFloor}`,
  ]);
  console.log(table(heads, rows));
  console.log(
    `base ${result.base}, change ${result.change}; medians of ${rounds} rounds, ratios inside each`,
  );
  console.log(JSON.stringify(result));
  if (options.out !== undefined) {
    writeFileSync(options.out, `${JSON.stringify(result, null, 2)}\n`);
  }
}
