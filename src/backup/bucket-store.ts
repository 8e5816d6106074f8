/* Backups in R2, beside the archive of old tasks: each under its own name, `backups/<backup_id>/`. */

const ROOT = "backups/";

/** Files that R2 removes in one call, and lists in one (developers.cloudflare.com/r2/api/workers/workers-api-reference). */
const TOGETHER = 1_000;

/** Calls of one removal: a run has others to make. */
const MAX_ROUNDS = 10;

/** Writes a file of a backup. @throws when the bucket does not confirm it */
export async function putBackupFile(
  bucket: R2Bucket,
  backup_id: string,
  { file, text }: { file: string; text: string },
): Promise<void> {
  const contentType = file.endsWith(".json") ? "application/json" : "application/x-ndjson";
  await bucket.put(`${ROOT}${backup_id}/${file}`, text, { httpMetadata: { contentType } });
}

/** Names of all that lies there as a backup does, finished or not. */
export async function listBackups(bucket: R2Bucket): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({
      prefix: ROOT,
      delimiter: "/",
      ...(cursor !== undefined && { cursor }),
    });
    names.push(...page.delimitedPrefixes.map((prefix) => prefix.slice(ROOT.length, -1)));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return names;
}

/** Removes a backup, its manifest first: what is half removed must not count as finished. False when files are left. */
export async function removeBackup(bucket: R2Bucket, backup_id: string): Promise<boolean> {
  const prefix = `${ROOT}${backup_id}/`;
  await bucket.delete(`${prefix}manifest.json`);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { objects } = await bucket.list({ prefix, limit: TOGETHER });
    if (objects.length === 0) return true;
    await bucket.delete(objects.map(({ key }) => key));
  }
  return false;
}
