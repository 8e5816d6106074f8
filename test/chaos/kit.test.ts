import { spawn } from "node:child_process";
import path from "node:path";
import { text } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

import type { Finding } from "../../kit/check.ts";
import { optionsIn } from "../../kit/options.ts";
import { Run } from "../../kit/run.ts";
import { Server } from "./server.ts";

/* All checks for each broken program, and not only those next to its fault: KIT_ALL=1 npm test -- --project chaos test/chaos/kit.test.ts */
const isWhole = process.env["KIT_ALL"] === "1";

const root = path.join(import.meta.dirname, "../..");
const node = path.join(root, "node_modules/.bin/node");
const fixture = (name: string): string => path.join(import.meta.dirname, "kit", `${name}.mjs`);

/** Kits that run at one time: they wait more than they work. */
const AT_ONE_TIME = 10;
const LONGEST_MS = isWhole ? 1_800_000 : 400_000;

/** What is wrong with an executor, and the one check that may say so. */
const EXECUTORS = [
  ["begins again", "duplicate_offer"],
  ["dies of a lost claim", "lost_offer"],
  ["hoards", "slow_answers"],
  ["trusts its clock", "clock_skew"],
  ["knows only 202", "duplicate_messages"],
  ["fresh id on retry", "lost_ack"],
  ["beats too rarely", "heartbeat"],
  ["ignores Retry-After", "retry_after"],
  ["takes held for a failure", "ordering"],
  ["knows no attempts", "late_result"],
  ["repeats after lease_lost", "stolen_lease"],
  ["ignores cancel", "cancel"],
  ["reports a refusal as a failure", "cancel_race"],
  ["goes on while paused", "pause"],
] as const;

/** Quick, and about what most faults are next to. */
const NEXT_TO_EXECUTORS = ["plain_life", "duplicate_messages", "ordering"];

const RECEIVERS = [
  ["looks at no signature", "wrong_signature"],
  ["looks at no time", "old_timestamp"],
  ["wants exact clocks", "clock_skew"],
  ["refuses unknown fields", "unknown_fields"],
  ["acts again", "repeated"],
  ["wants its order", "reordered"],
  ["has no room", "slow_consumer"],
  ["knows one signature", "rotated_secret"],
] as const;

const NEXT_TO_RECEIVERS = ["signed", "unknown_fields", "clock_skew"];

const ORCHESTRATORS = [
  ["names nothing", "plain_submission"],
  ["fresh key on retry", "lost_ack"],
  ["knows only 202", "duplicate_submission"],
  ["ignores Retry-After", "retry_after"],
] as const;

/** The checks of an example, in parts that take about as long. */
const PARTS = [
  ["plain_life", "duplicate_offer", "slow_answers", "lost_ack", "cancel"],
  ["lost_offer", "clock_skew", "duplicate_messages", "retry_after", "ordering"],
  ["heartbeat", "late_result", "stolen_lease", "cancel_race", "pause"],
] as const;

type Found = Pick<Finding, "id" | "outcome" | "why">;

/** Outcomes as `id: outcome`, with the reason where something failed: what a failed test should show. */
function told(found: readonly Found[] | undefined): string[] {
  return (found ?? []).map(({ id, outcome, why }) =>
    outcome === "failed" ? `${id}: failed, ${why.join("; ")}` : `${id}: ${outcome}`,
  );
}

const failedIn = (found: readonly Found[] | undefined): string[] =>
  (found ?? []).filter(({ outcome }) => outcome === "failed").map(({ id }) => id);

/** Does jobs, so many at a time. */
async function inTurn(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const left = [...jobs];
  const work = async (): Promise<void> => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await job();
  };
  await Promise.all(Array.from({ length: AT_ONE_TIME }, work));
}

const reportSchema = z.object({
  counts: z.object({ passed: z.int(), failed: z.int(), not_applicable: z.int() }),
  checks: z.array(
    z.object({
      role: z.string(),
      id: z.string(),
      outcome: z.enum(["passed", "failed", "not_applicable"]),
      why: z.array(z.string()),
      seen: z.array(z.string()),
      rule: z.string(),
      section: z.string(),
      advice: z.string(),
    }),
  ),
});

describe("the conformance kit", () => {
  const found = new Map<string, Found[]>();
  const byCommand = new Map<string, { status: number | null; out: string }>();
  let server: Server;

  const place = (): string[] => ["--url", server.url, "--key", server.adminKey];

  /** Runs the kit in this process, and keeps what it found under a name; several runs add up. */
  async function tryOut(name: string, args: readonly string[]): Promise<void> {
    const options = optionsIn([...place(), ...args]);
    const quiet = { say: () => {}, found: () => {} };
    const at = { url: server.url, key: server.adminKey };
    const findings = await new Run(options, at, quiet).all();
    found.set(name, [...(found.get(name) ?? []), ...findings]);
  }

  /** Runs the kit as a user does. */
  async function command(name: string, args: readonly string[]): Promise<void> {
    const kit = spawn(node, ["kit/kit.ts", ...place(), ...args], { cwd: root });
    const ended = new Promise<number | null>((resolve) => kit.once("exit", resolve));
    const out = await text(kit.stdout);
    byCommand.set(name, { status: await ended, out });
  }

  const broken = (flag: string, program: string, wrong: string): string[] => [
    flag,
    `BREAK='${wrong}' exec ${node} ${fixture(program)}`,
  ];

  const only = (next: readonly string[], id: string): string[] =>
    isWhole ? [] : ["--only", [...new Set([...next, id])].join(",")];

  /** The long ones first: then all end at about the same time. */
  function jobs(): (() => Promise<void>)[] {
    const example = `${node} examples/executor.mjs`;
    const reference = `exec ${node} ${fixture("executor")}`;
    const pushed = "plain_life,duplicate_offer,lost_offer,lost_ack,push_signature";
    const start = (line: string, ids: readonly string[]) => [
      "--start",
      line,
      "--only",
      ids.join(","),
    ];
    return [
      ...PARTS.flatMap((ids) => [
        () => tryOut("examples/executor.mjs", start(example, ids)),
        () => tryOut("examples/executor.py", start("python3 examples/executor.py", ids)),
      ]),
      ...EXECUTORS.map(
        ([wrong, id]) =>
          () =>
            tryOut(wrong, [
              ...broken("--start", "executor", wrong),
              ...only(NEXT_TO_EXECUTORS, id),
            ]),
      ),
      ...RECEIVERS.map(
        ([wrong, id]) =>
          () =>
            tryOut(`receiver ${wrong}`, [
              ...broken("--start-receiver", "receiver", wrong),
              ...only(NEXT_TO_RECEIVERS, id),
            ]),
      ),
      ...ORCHESTRATORS.map(
        ([wrong]) =>
          () =>
            tryOut(`orchestrator ${wrong}`, broken("--start-orchestrator", "orchestrator", wrong)),
      ),
      () => tryOut("the reference", start(reference, ["ordering", "pause"])),
      () => tryOut("the pushed reference", start(`PUSH=1 ${reference}`, pushed.split(","))),
      () =>
        tryOut("the believer", [
          ...start(`PUSH=1 BREAK='believes every push' ${reference}`, [
            "plain_life",
            "push_signature",
          ]),
        ]),
      () => tryOut("examples/receiver.mjs", ["--start-receiver", `${node} examples/receiver.mjs`]),
      () =>
        tryOut("the orchestrator", [
          "--start-orchestrator",
          `exec ${node} ${fixture("orchestrator")}`,
        ]),
      () => command("good", [...start(example, ["plain_life", "duplicate_messages"]), "--json"]),
      () =>
        command("bad", [...broken("--start", "executor", "ignores cancel"), "--only", "cancel"]),
    ];
  }

  beforeAll(async () => {
    server = await Server.create();
    await server.start();
    await inTurn(jobs());
  }, LONGEST_MS);
  afterAll(() => server.stop());

  it.each(["examples/executor.mjs", "examples/executor.py"])("passes %s", (name) => {
    const outcomes = found.get(name);

    expect(told(outcomes).filter((line) => line.includes("failed"))).toEqual([]);
    expect(outcomes?.map(({ id }) => id).toSorted()).toEqual(PARTS.flat().toSorted());
    const spared = (outcomes ?? []).filter(({ outcome }) => outcome === "not_applicable");
    // They neither count their notifications nor acknowledge a pause.
    expect(spared.map(({ id }) => id).toSorted()).toEqual(["ordering", "pause"]);
  });

  it("passes an executor that counts and pauses, and one that is pushed to", () => {
    expect(told(found.get("the reference"))).toEqual(["ordering: passed", "pause: passed"]);
    expect(told(found.get("the pushed reference"))).toEqual([
      "plain_life: passed",
      "duplicate_offer: passed",
      "lost_offer: passed",
      "lost_ack: passed",
      "push_signature: passed",
    ]);
  });

  it.each(EXECUTORS)("finds in an executor that %s exactly %s", (wrong, id) => {
    const outcomes = found.get(wrong);

    expect({ failed: failedIn(outcomes), all: told(outcomes) }).toMatchObject({ failed: [id] });
  });

  it("finds that an executor believes a push which nobody has signed", () => {
    expect(failedIn(found.get("the believer"))).toEqual(["push_signature"]);
  });

  it("passes examples/receiver.mjs", () => {
    const outcomes = told(found.get("examples/receiver.mjs"));

    expect(outcomes).toHaveLength(10);
    expect(outcomes.filter((line) => !line.endsWith(": passed"))).toEqual([]);
  });

  it.each(RECEIVERS)("finds in a receiver that %s exactly %s", (wrong, id) => {
    const outcomes = found.get(`receiver ${wrong}`);
    // A lost answer is but another cause of the same repetition.
    const expected = isWhole && wrong === "acts again" ? [id, "lost_ack"] : [id];

    expect({ failed: failedIn(outcomes), all: told(outcomes) }).toMatchObject({ failed: expected });
  });

  it("passes an orchestrator that submits under a key of its own", () => {
    const outcomes = told(found.get("the orchestrator"));

    expect(outcomes).toHaveLength(4);
    expect(outcomes.filter((line) => !line.endsWith(": passed"))).toEqual([]);
  });

  it.each(ORCHESTRATORS)("finds in an orchestrator that %s %s", (wrong, id) => {
    const outcomes = found.get(`orchestrator ${wrong}`);
    // Without a name nothing can be submitted again as the same.
    const expected = wrong === "names nothing" ? [id, "lost_ack"] : [id];

    expect({ failed: failedIn(outcomes), all: told(outcomes) }).toMatchObject({ failed: expected });
  });

  it("prints a report that a program can read, and ends with 0 when nothing failed", () => {
    const { status, out } = byCommand.get("good") ?? {};

    const report = reportSchema.parse(JSON.parse(out ?? ""));
    expect(status).toBe(0);
    expect(report.counts).toEqual({ passed: 2, failed: 0, not_applicable: 0 });
    for (const { seen, rule } of report.checks) {
      expect(seen.join("\n")).toContain("POST /v1/notifications started");
      expect(rule).not.toBe("");
    }
  });

  it("says what was wrong, what was seen, what the protocol says and what to do, and ends with 1", () => {
    const { status, out } = byCommand.get("bad") ?? {};

    expect(status).toBe(1);
    expect(out).toContain("✗ executor/cancel");
    expect(out).toMatch(/wrong: completed came [\d.]+ s after it was told to stop/);
    expect(out).toContain("protocol.md §4 Shapes (Command), §7 Cancel");
    expect(out).toContain("do:    Look at `commands`");
    expect(out).toMatch(/POST \/v1\/notifications completed .* → passed on: 202; answered 202/);
  });
});
