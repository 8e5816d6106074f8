import { Misuse, optionsIn, USAGE } from "./options.ts";
import type { Options } from "./options.ts";
import { startBatuta } from "./own-batuta.ts";
/**
 * `npm run kit -- …`: drives an outside executor, receiver or orchestrator against Batuta through what can go wrong
 * between them, and prints what it does not stand. `--help` says how.
 */
import { findingLines, exitCodeOf, reportOf, summaryLine } from "./report.ts";
import { CHECKS, Hindered, Run } from "./run.ts";

/** Could not be tried. */
const HINDERED = 2;
/** As a shell says it of SIGINT. */
const INTERRUPTED = 130;

function list(): void {
  for (const [role, checks] of Object.entries(CHECKS)) {
    for (const { id, title } of checks) console.log(`${role}/${id}: ${title}`);
  }
}

function refuseUnknown({ only, skip }: Options): void {
  const ids = new Set(Object.values(CHECKS).flatMap((checks) => checks.map(({ id }) => id)));
  const unknown = [...only, ...skip].find((id) => !ids.has(id));
  if (unknown !== undefined) throw new Misuse(`There is no check ${unknown}; --list names them.`);
}

async function tryAll(options: Options): Promise<number> {
  const began = performance.now();
  // With --json standard output is the report's alone.
  const say = (line: string): void => (options.json ? console.error(line) : console.log(line));
  if (options.url === null) say("Starting a Batuta with fresh state …");
  const own = options.url === null ? await startBatuta() : null;
  const place = own ?? { url: options.url ?? "", key: options.key ?? "" };
  say(`Batuta: ${place.url}`);
  const run = new Run(options, place, {
    say,
    found: (finding) => {
      for (const line of findingLines(finding)) say(line);
    },
  });
  // However it ends: what it has started ends with it.
  process.once("exit", () => {
    run.kill();
    own?.kill();
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => process.exit(INTERRUPTED));
  }
  process.stdout.once("error", () => process.exit(HINDERED));
  try {
    const findings = await run.all();
    const report = reportOf(place.url, findings, Math.round(performance.now() - began));
    say(summaryLine(report));
    if (options.json) console.log(JSON.stringify(report, null, 2));
    return exitCodeOf(report);
  } finally {
    await own?.stop();
  }
}

async function main(): Promise<number> {
  const options = optionsIn(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else if (options.list) list();
  else {
    refuseUnknown(options);
    return tryAll(options);
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isTheirs = error instanceof Misuse || error instanceof Hindered;
  console.error("kit:", isTheirs ? error.message : error);
  process.exitCode = HINDERED;
}
