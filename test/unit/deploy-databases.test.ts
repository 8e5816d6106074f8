import { readFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");

/** What a script says of the databases of wrangler.toml. */
interface Bound {
  databases: { binding: string; name: string }[];
  unbound: string[];
}
// Plain JavaScript, which the scripts run as it is: TypeScript is told its form here.
const script = path.join(root, "scripts/deploy/databases.mjs");
const loaded: { databasesOf: (toml: string, environment: "production" | null) => Bound } =
  await import(script);
const { databasesOf } = loaded;

/** wrangler.toml with what it shows of a second database taken into use. */
async function withSecond(shards: string): Promise<string> {
  const text = await readFile(path.join(root, "wrangler.toml"), "utf8");
  return text
    .replace(
      /# (\[\[(?:env\.production\.)?d1_databases\]\])\n((?:# \w+ = .*\n)+)/g,
      (_all, head, rows) => `${head}\n${String(rows).replaceAll(/^# /gm, "")}`,
    )
    .replaceAll('HISTORY_SHARDS = ""', `HISTORY_SHARDS = "${shards}"`);
}

describe("the databases that a deployment migrates", () => {
  it("are one as wrangler.toml comes", async () => {
    const text = await readFile(path.join(root, "wrangler.toml"), "utf8");

    const one = { databases: [{ binding: "DB", name: "batuta" }], unbound: [] };
    expect([databasesOf(text, "production"), databasesOf(text, null)]).toEqual([one, one]);
  });

  it.each([null, "production"] as const)("are all that are bound in %s", async (environment) => {
    const found = databasesOf(await withSecond("DB_1"), environment);

    expect(found).toEqual({
      databases: [
        { binding: "DB", name: "batuta" },
        { binding: "DB_1", name: "batuta-history-1" },
      ],
      unbound: [],
    });
  });

  it("lack what HISTORY_SHARDS names and nothing is bound to", async () => {
    const { unbound } = databasesOf(await withSecond("DB, DB_1,DB_2"), "production");

    expect(unbound).toEqual(["DB_2"]);
  });
});
