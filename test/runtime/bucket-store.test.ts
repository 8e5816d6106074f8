import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { listBackups, putBackupFile, removeBackup } from "../../src/backup/bucket-store.ts";

const bucket = env.TEST_ARCHIVE;
const put = (backup_id: string, file: string) =>
  putBackupFile(bucket, backup_id, { file, text: file });

describe("backups in a bucket", () => {
  it("are listed by their names, and removed alone, beside whatever else the bucket has", async () => {
    await bucket.put("default/2026/11/task.json", "{}");
    for (const file of ["manifest.json", "DB/task/000001.ndjson"]) {
      await put("20261125T000000Z", file);
      await put("20261126T000000Z", file);
    }
    expect(await listBackups(bucket)).toEqual(["20261125T000000Z", "20261126T000000Z"]);

    expect(await removeBackup(bucket, "20261125T000000Z")).toBe(true);

    expect(await listBackups(bucket)).toEqual(["20261126T000000Z"]);
    const left = await bucket.list();
    expect(left.objects.map(({ key }) => key)).toEqual([
      "backups/20261126T000000Z/DB/task/000001.ndjson",
      "backups/20261126T000000Z/manifest.json",
      "default/2026/11/task.json",
    ]);
  });

  it("lose their manifest first, so that half of one does not count", async () => {
    await put("20261124T000000Z", "manifest.json");
    await put("20261124T000000Z", "DB/task/000001.ndjson");
    const removed: string[] = [];
    const watched: R2Bucket = Object.create(bucket, {
      list: { value: bucket.list.bind(bucket) },
      delete: {
        value: async (keys: string | string[]) => {
          removed.push(...[keys].flat());
          await bucket.delete(keys);
        },
      },
    });

    await removeBackup(watched, "20261124T000000Z");

    expect(removed).toEqual([
      "backups/20261124T000000Z/manifest.json",
      "backups/20261124T000000Z/DB/task/000001.ndjson",
    ]);
  });
});
