import type * as z from "zod";

import { placesOf } from "../protocol/declared-names.ts";
import type { Outflow } from "./withheld.ts";

/** Media type of one JSON value a line (github.com/ndjson/ndjson-spec). */
export const NDJSON = "application/x-ndjson";

/** Whether a client names NDJSON among what it accepts. */
export function wantsNdjson(accept: string | undefined): boolean {
  return (accept ?? "")
    .split(",")
    .some((range) => range.split(";", 1)[0]?.trim().toLowerCase() === NDJSON);
}

/**
 * The values of all pages, one JSON value a line. A page is read when the client has taken the one before, so that
 * no more than one is held. A page that can't be read, or holds a value that breaks its schema, breaks the stream off,
 * which the client sees as an error: an export that silently lacks a line would be worse.
 */
export function ndjsonStream(
  pages: AsyncIterable<readonly unknown[]>,
  schema: z.ZodType,
  { log, tellWithheld }: Outflow,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const reading = pages[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const page = await reading.next();
          if (page.done === true) return controller.close();
          for (const value of page.value) {
            const parsed = schema.safeParse(value);
            if (parsed.success) continue;
            // oxlint-disable-next-line no-await-in-loop -- it is the last turn
            await tellWithheld(placesOf(schema, parsed.error));
            throw new Error("a line broke its schema and was withheld");
          }
          const lines = page.value.map((value) => `${JSON.stringify(value)}\n`);
          controller.enqueue(encoder.encode(lines.join("")));
        } catch (error) {
          log("error", "export_failed", { error: String(error) });
          throw error;
        }
      },
      async cancel() {
        await reading.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
