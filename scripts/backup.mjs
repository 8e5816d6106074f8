/**
 * Writes all of D1 into a folder, for whoever has no bucket: `npm run backup`.
 *
 *   --local            the state of `npm start` (default); --state FOLDER, else BATUTA_STATE, else .state
 *   --remote           the deployed database, through wrangler; --env production by default
 *   --database NAME    batuta by default
 *   --binding NAME     under which name it is in the backup: DB by default
 *   --out FOLDER       backups by default; the backup lies in it under its name, e.g. 20261126T183644Z
 *
 * Interrupted, it goes on when it is started again with the same --out. Exits with 2 when it is asked for what cannot be,
 * with 1 when it failed.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import { beginBackup, goOn, manifestOf } from "../src/backup/backup.ts";
import { backupProgressSchema } from "../src/protocol/backup.ts";
import { createDatabase, failing, optionsOf } from "./backup/wrangler.mjs";

/** Pages between two notes of how far it is. */
const PAGES = 20;

await failing("backup", async () => {
  const { values, target } = optionsOf({ out: { type: "string", default: "backups" } });
  const out = path.resolve(values.out);
  mkdirSync(out, { recursive: true });
  const { query } = createDatabase(target);
  const sources = [{ binding: values.binding, query }];
  const noted = path.join(out, "unfinished.json");

  const note = (progress) => {
    // A file that is half written must not take the place of a whole one.
    writeFileSync(`${noted}.new`, JSON.stringify({ target, progress }));
    renameSync(`${noted}.new`, noted);
  };
  let progress = existsSync(noted)
    ? goingOn(noted, target)
    : await beginBackup({ now: Date.now, sources });
  const folder = path.join(out, progress.backup_id);
  const put = async (file, text) => {
    const whole = path.join(folder, file);
    mkdirSync(path.dirname(whole), { recursive: true });
    writeFileSync(whole, text);
    console.log(`  ${file}`);
  };
  const save = async (_from, to) => {
    note(to);
    return true;
  };
  console.log(`Backup ${progress.backup_id} of ${values.binding} into ${folder}`);
  let manifest = manifestOf(progress, Date.now());
  while (manifest === null) {
    progress = await goOn({ now: Date.now, sources, put, save }, progress, PAGES);
    manifest = manifestOf(progress, Date.now());
  }
  await put("manifest.json", `${JSON.stringify(manifest, null, 1)}\n`);
  rmSync(noted, { force: true });
  report(manifest);
});

/** The backup that was interrupted. */
function goingOn(file, target) {
  const { target: former, progress } = JSON.parse(readFileSync(file, "utf8"));
  if (JSON.stringify(former) !== JSON.stringify(target)) {
    throw new TypeError(`${file} is of another database: finish that one, or remove the file`);
  }
  return backupProgressSchema.parse(progress);
}

function report({ backup_id, databases }) {
  const tables = databases.flatMap((database) => database.tables);
  const sum = (of) => tables.reduce((all, table) => all + table[of], 0);
  console.log(`Backup ${backup_id} is finished: ${sum("rows")} rows, ${sum("bytes")} bytes.`);
  for (const { unknown } of databases) {
    if (unknown.length > 0)
      console.warn(`Not in it, because this version does not know them: ${unknown.join(", ")}`);
  }
  if (sum("withheld") > 0) {
    console.warn(`${sum("withheld")} secrets were stored in clear and are not in it: rotate them.`);
  }
}
