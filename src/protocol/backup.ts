import * as z from "zod";

import { instantSchema } from "./primitives.ts";

/* A backup of D1 as it lies in a bucket or a folder: NDJSON files, and a manifest that is written last. */

/** A file of rows, one JSON object a line. */
const backupPartSchema = z.strictObject({
  file: z
    .string()
    .regex(/^[\w-]+\/\w+\/\d{6}\.[0-9a-f]{16}\.ndjson$/)
    .meta({ description: "Its path beside the manifest." }),
  rows: z.int().min(1),
  bytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type BackupPart = z.infer<typeof backupPartSchema>;

/** A table: its parts follow each other in the order of its key. */
const backupTableSchema = z.strictObject({
  name: z.string().regex(/^\w+$/),
  columns: z.array(z.string().regex(/^\w+$/)).min(1),
  key: z.array(z.string().regex(/^\w+$/)).min(1),
  rows: z.int().min(0),
  bytes: z.int().min(0),
  withheld: z
    .int()
    .min(0)
    .meta({ description: "Secrets that were stored in clear, and are therefore not in it." }),
  parts: z.array(backupPartSchema),
});
export type BackupTable = z.infer<typeof backupTableSchema>;

/** One database: all of its tables. */
const backupDatabaseSchema = z.strictObject({
  binding: z.string().regex(/^[\w-]+$/),
  migrations: z
    .array(z.string())
    .meta({ description: "The migrations that had been applied: the version of its schema." }),
  tables: z.array(backupTableSchema),
  unknown: z.array(z.string()).meta({
    description: "Tables that the exporting version did not know, and that are therefore missing.",
  }),
});
export type BackupDatabase = z.infer<typeof backupDatabaseSchema>;

/** Which backup: its name is the second in which it began, e.g. 20261126T183644Z. */
export const backupIdSchema = z.string().regex(/^\d{8}T\d{6}Z$/);

/** A finished backup. What has no such file is not finished. */
export const backupManifestSchema = z.strictObject({
  format: z.literal(1),
  backup_id: backupIdSchema,
  started_at: instantSchema,
  finished_at: instantSchema,
  databases: z.array(backupDatabaseSchema).min(1),
});
export type BackupManifest = z.infer<typeof backupManifestSchema>;

/** A value of D1 as these tables hold it: none has a column of bytes. */
const storedValueSchema = z.union([z.string(), z.number(), z.null()]);
export type StoredValue = z.infer<typeof storedValueSchema>;

/** A row of a table by the names of its columns. */
export const storedRowSchema = z.record(z.string(), storedValueSchema);
export type StoredRow = z.infer<typeof storedRowSchema>;

/** A backup on its way: what is written, and where it goes on. */
export const backupProgressSchema = z.strictObject({
  backup_id: backupIdSchema,
  started_at: instantSchema,
  databases: z.array(backupDatabaseSchema).min(1),
  place: z.strictObject({
    database: z.int().min(0),
    table: z.int().min(0),
    after: z
      .array(storedValueSchema)
      .nullable()
      .meta({ description: "Key of the last row that is written; null at the table's begin." }),
  }),
});
export type BackupProgress = z.infer<typeof backupProgressSchema>;
