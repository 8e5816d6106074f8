import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { MESSAGES, messageNameSchema } from "../../src/protocol/registry.ts";
import { appended, linesOf, manifestFaults } from "../corpus-manifest.ts";
import {
  changesOf,
  corpusFiles,
  frozenOf,
  lossesOf,
  MANIFEST,
  readingOf,
  SCHEMAS,
} from "../corpus.ts";

/* Every message that was ever frozen, through the upgrader and the schemas as they are now: on every build. */

const root = path.join(import.meta.dirname, "../..");
const SECOND = frozenOf("2.0");
const FIRST = frozenOf("1.0");
const titled = <Each extends { file: string }>(each: Each) => [each.file, each] as const;

function git(...parameters: string[]): string {
  return execFileSync("git", ["-C", root, ...parameters], {
    encoding: "utf8",
    maxBuffer: 64_000_000,
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** Whether the history of this tree can be asked: not in a tarball, nor in a shallow clone. */
function hasHistory(): boolean {
  try {
    const top = git("rev-parse", "--show-toplevel").trim();
    return top === root && git("rev-parse", "--is-shallow-repository").trim() === "false";
  } catch {
    return false;
  }
}

describe("the frozen corpus of 2.0", () => {
  const sent = SECOND.filter((each) => each.sent === true);
  const received = SECOND.filter((each) => each.sent !== true);

  it("has messages of every published kind, and enough of them", () => {
    const kinds = new Set(SECOND.map(({ kind }) => kind));

    expect(SECOND.length).toBeGreaterThan(400);
    expect(messageNameSchema.options.filter((name) => !kinds.has(name))).toEqual([]);
    expect([...kinds].filter((kind) => !SCHEMAS.has(kind))).toEqual([]);
    for (const { kind } of sent) {
      expect(MESSAGES[messageNameSchema.parse(kind)].direction).toBe("output");
    }
  });

  it.each(received.map(titled))("means the same as ever: %s", (_file, frozen) => {
    const { accepted, refused, isDeprecated } = readingOf(frozen.kind, frozen.message);

    expect(refused?.code).toBe(frozen.refused?.code);
    const pointers = refused?.errors?.map(({ pointer }) => pointer) ?? [];
    expect(pointers).toEqual(expect.arrayContaining(frozen.refused?.pointers ?? []));
    expect(lossesOf(frozen.accepted, accepted)).toEqual([]);
    expect(isDeprecated || frozen.deprecated !== true).toBe(true);
  });

  it.each(sent.map(titled))("is still what is sent: %s", (_file, { kind, message }) => {
    expect(changesOf(kind, message)).toEqual([]);
  });
});

describe("messages of 1.0 beside the same ones of 2.0", () => {
  const versionless = z.looseObject({ schema_version: z.string().optional() }).transform(
    // What is left when the version is taken out.
    ({ schema_version: _version, ...rest }) => rest,
  );

  it.each(FIRST.map(titled))(
    "are refused with the list of versions, and these are not: %s",
    (file, old) => {
      const twin = SECOND.find((each) => each.file === file.replace("1.0/", "2.0/"));
      const { refused } = readingOf(old.kind, old.message);

      expect(versionless.parse(old.message)).toEqual(versionless.parse(twin?.message));
      expect(refused).toMatchObject({
        code: "unsupported_version",
        extra: { supported_versions: expect.stringContaining("2.0") },
      });
      expect(refused?.errors?.map(({ pointer }) => pointer)).toEqual(["/schema_version"]);
      expect(readingOf(old.kind, twin?.message).refused).toBeNull();
    },
  );

  it("are of every kind that tasks live by", () => {
    expect([...new Set(FIRST.map(({ kind }) => kind))]).toEqual(
      expect.arrayContaining([
        "task_execution",
        "task_batch",
        "notification",
        "agent_end_task",
        "webhook_registration",
        "command",
      ]),
    );
  });
});

describe("the corpus may only grow", () => {
  const lines = linesOf(readFileSync(MANIFEST, "utf8"));
  const files = corpusFiles();

  it("has every file as its manifest froze it, in an unbroken chain", () => {
    expect(manifestFaults(lines, files)).toEqual([]);
    expect(lines).toHaveLength(files.length);
  });

  it("notices a file that changed, one that vanished and one that is not listed", () => {
    const [one, two, ...others] = files.toSorted((a, b) => (a.file < b.file ? -1 : 1));
    const damaged = [
      ...others,
      { file: one?.file ?? "", text: `${one?.text} ` },
      { file: "2.0/claim/new.json", text: "{}" },
    ];

    expect(manifestFaults(lines, damaged)).toEqual([
      `${one?.file}: changed`,
      `${two?.file}: vanished`,
      "2.0/claim/new.json: not listed",
    ]);
  });

  it("notices a line that was taken out, though its file went with it", () => {
    const gone = lines[3]?.split(" ")[2];
    const left = files.filter(({ file }) => file !== gone);

    expect(manifestFaults(lines.toSpliced(3, 1), left)).toEqual([
      `${lines[4]?.split(" ")[2]}: broken chain`,
    ]);
  });

  it("lists new files behind the others, which stay", () => {
    const more = [...files, { file: "2.0/claim/new.json", text: "{}" }];

    const grown = appended(lines, more);

    expect(grown.slice(0, -1)).toEqual(lines);
    expect(manifestFaults(grown, more)).toEqual([]);
  });

  // A merge is compared with each of its parents: beside either, what is frozen has only come to be there.
  it.skipIf(!hasHistory())("has never changed a message in the history of this repository", () => {
    const changed = git(
      "log",
      "-m",
      "--full-history",
      "--diff-filter=MDRT",
      "--format=",
      "--name-only",
      "--no-renames",
      "--",
      "test/corpus/1.0",
      "test/corpus/2.0",
    );
    const removedLines = git(
      "log",
      "-m",
      "--full-history",
      "-p",
      "--unified=0",
      "--format=",
      "--",
      "test/corpus/manifest.txt",
    )
      .split("\n")
      .filter((line) => line.startsWith("-") && !line.startsWith("--- "));

    expect(changed).toBe("");
    expect(removedLines).toEqual([]);
  });
});

describe("lossesOf", () => {
  it.each([
    [{ a: 1 }, { a: 1, b: 2 }, []],
    [{ a: 1 }, { a: 2 }, ["/a"]],
    [{ a: { b: [1, 2] } }, { a: { b: [1] } }, ["/a/b"]],
    [{ a: [{ b: 1 }] }, { a: [{ b: 1, c: 1 }] }, []],
    [{ a: null }, {}, ["/a"]],
    [{ a: {} }, { a: [] }, ["/a"]],
    [{ schema_version: "1.9" }, { schema_version: "2.0" }, []],
  ])("of %j in %j are %j", (frozen, now, losses) => {
    expect(lossesOf(frozen, now)).toEqual(losses);
  });
});
