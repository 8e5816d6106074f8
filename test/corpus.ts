import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { z } from "zod";

import { faultsOf } from "../src/protocol/faults.ts";
import type { Refusal } from "../src/protocol/refusal.ts";
import { MESSAGES, messageNameSchema } from "../src/protocol/registry.ts";
import { UPGRADER } from "../src/protocol/upgrader.ts";
import { ROUTES } from "../src/rest/app.ts";
import { faultsRefusal } from "../src/rest/edge/validate.ts";
import { kindOf } from "../src/rest/edge/version.ts";
import type { CorpusFile } from "./corpus-manifest.ts";

/* The frozen messages of each version (test/corpus/<version>/<kind>/*.json), and how this code reads them. */

const CORPUS = path.join(import.meta.dirname, "corpus");

/** The list of all frozen files. */
export const MANIFEST = path.join(CORPUS, "manifest.txt");

/** Every file of the corpus with its text. */
export function corpusFiles(): CorpusFile[] {
  return globSync("*/*/*.json", { cwd: CORPUS }).map((file) => ({
    file: file.replaceAll(path.sep, "/"),
    text: readFileSync(path.join(CORPUS, file), "utf8"),
  }));
}

const frozenSchema = z.strictObject({
  title: z.string(),
  message: z.unknown(),
  /** What is made of it: defaults filled in, older forms lifted. */
  accepted: z.unknown().optional(),
  /** The code, and the places that are named among others. */
  refused: z.strictObject({ code: z.string(), pointers: z.array(z.string()) }).optional(),
  /** Whether the sender is told that it is deprecated. */
  deprecated: z.literal(true).optional(),
  /** Something that this system sends: it must still mean the same to whoever was built on it. */
  sent: z.literal(true).optional(),
});
type Frozen = z.infer<typeof frozenSchema> & { file: string; kind: string };

/** The frozen messages of a version, by file. */
export function frozenOf(version: string): Frozen[] {
  return corpusFiles()
    .filter(({ file }) => file.startsWith(`${version}/`))
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .map(({ file, text }) => ({
      ...frozenSchema.parse(JSON.parse(text)),
      file,
      kind: path.basename(path.dirname(file)),
    }));
}

const snakeOf = (id: string): string =>
  id.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();

/** Every schema that reads or forms a message: what is published by its name, what else a route takes by its id. */
export const SCHEMAS: ReadonlyMap<string, z.ZodType> = new Map([
  ...ROUTES.flatMap(({ body, query }) => [body, query])
    .filter((schema) => schema !== undefined)
    .flatMap((schema) => {
      const id = kindOf(schema);
      return id === undefined ? [] : [[snakeOf(id), schema] as const];
    }),
  ...messageNameSchema.options.map((name) => [name, MESSAGES[name].schema] as const),
]);

/** What the edge makes of a message: the very steps of src/rest/edge/validate.ts. */
export function readingOf(
  kind: string,
  sent: unknown,
): { accepted: unknown; refused: Refusal | null; isDeprecated: boolean } {
  const schema = SCHEMAS.get(kind);
  if (schema === undefined) throw new Error(`no schema reads ${kind}`);
  const { message, notices } = UPGRADER.upgrade(kindOf(schema), sent);
  const parsed = schema.safeParse(message);
  return {
    accepted: parsed.success ? parsed.data : undefined,
    refused: parsed.success ? null : faultsRefusal(faultsOf(parsed.error, message)),
    isDeprecated: notices.length > 0,
  };
}

/** Faults of a message that we sent once, less those that only say that a field came later. */
export function changesOf(kind: string, sent: unknown): string[] {
  const parsed = SCHEMAS.get(kind)?.safeParse(sent);
  if (parsed === undefined) throw new Error(`no schema forms ${kind}`);
  if (parsed.success) return [];
  return faultsOf(parsed.error, sent)
    .filter(({ received }) => received !== "nothing")
    .map(({ pointer, detail }) => `${pointer}: ${detail}`);
}

/**
 * Where a value no longer holds what was frozen. Fields that came later are welcome, and so is the version that is the
 * current one by now; all else must be the same.
 */
export function lossesOf(frozen: unknown, now: unknown, at = ""): string[] {
  if (frozen === null || typeof frozen !== "object") return Object.is(frozen, now) ? [] : [at];
  if (now === null || typeof now !== "object" || Array.isArray(frozen) !== Array.isArray(now)) {
    return [at];
  }
  if (Array.isArray(frozen) && Array.isArray(now) && frozen.length !== now.length) return [at];
  const there = new Map<string, unknown>(Object.entries(now));
  return Object.entries(frozen).flatMap(([key, value]) =>
    key === "schema_version" && there.get(key) === UPGRADER.current
      ? []
      : there.has(key)
        ? lossesOf(value, there.get(key), `${at}/${key}`)
        : [`${at}/${key}`],
  );
}
