/**
 * Writes a backup into an empty database and compares every row: `npm run restore -- --from backups/20261126T183644Z`.
 *
 *   --from FOLDER      a backup of `npm run backup`, or
 *   --bucket NAME --backup ID   one that the Worker wrote into its bucket (--remote or --local as for the database)
 *   --local, --state, --remote, --env, --database, --binding   as for `npm run backup`
 *
 * The database has the migrations that the backup was made with, and no row. Interrupted, it goes on when it is started
 * again. Exits with 2 when it is asked for what cannot be, with 1 when the backup or the database is not as it has to be.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { restore } from "../src/backup/restore.ts";
import { backupManifestSchema } from "../src/protocol/backup.ts";
import { createDatabase, failing, fileOfBucket, optionsOf } from "./backup/wrangler.mjs";

await failing("restore", async () => {
  const { values, target } = optionsOf({
    from: { type: "string" },
    bucket: { type: "string" },
    backup: { type: "string" },
  });
  const read = readerOf(values, target);
  const text = await read("manifest.json");
  if (text === null) throw new TypeError("there is no manifest.json: it is no finished backup");
  const manifest = backupManifestSchema.parse(JSON.parse(text));
  const { query, run } = createDatabase(target);
  const tell = (what) => console.log(`  ${what}`);
  const { rows, withheld } = await restore({ query, run, read, tell }, manifest, values.binding);
  console.log(
    `Restored ${rows} rows of ${manifest.backup_id}; each was read again and is the same.`,
  );
  if (withheld > 0) console.warn(`${withheld} secrets were not in the backup: rotate them.`);
});

/** What reads a file of the backup, null when it is not there. */
function readerOf({ from, bucket, backup }, target) {
  if (from !== undefined && bucket === undefined) {
    const folder = path.resolve(from);
    return async (file) => {
      const whole = path.join(folder, file);
      return existsSync(whole) ? readFileSync(whole, "utf8") : null;
    };
  }
  if (from === undefined && bucket !== undefined && /^\d{8}T\d{6}Z$/.test(backup ?? "")) {
    return (file) => fileOfBucket(target, `${bucket}/backups/${backup}/${file}`);
  }
  throw new TypeError(
    "say --from FOLDER, or --bucket NAME and --backup ID such as 20261126T183644Z",
  );
}
