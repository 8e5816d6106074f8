/**
 * Applies the migrations to each database of [env.production], one after the other, and then deploys it. The first failure
 * ends it: a Worker must never find a schema older than itself. Exits with 2, and touches nothing, when HISTORY_SHARDS names
 * a database that nothing is bound to.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { databasesOf } from "./deploy/databases.mjs";

const root = path.join(import.meta.dirname, "..");
const { databases, unbound } = databasesOf(
  readFileSync(path.join(root, "wrangler.toml"), "utf8"),
  "production",
);
if (unbound.length > 0) {
  console.error(
    `Nothing is deployed: HISTORY_SHARDS names ${unbound.join(", ")}, and [env.production] of wrangler.toml binds no database to it.`,
  );
  process.exit(2);
}

for (const { name } of databases) {
  run(["d1", "migrations", "apply", name, "--remote", "--env", "production"]);
}
run(["deploy", "--env", "production"]);

function run(args) {
  console.log(`wrangler ${args.join(" ")}`);
  const { status } = spawnSync(path.join(root, "node_modules/.bin/wrangler"), args, {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
