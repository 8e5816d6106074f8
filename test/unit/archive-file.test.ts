import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ArchiveFile, eventOfLine, linesOf, viewOfLine } from "../../src/history/archive-file.ts";
import { eventOf, eventsOf, viewOf } from "../task-news.ts";

/** Bytes in pieces of a size, as a stream may give them. */
async function* piecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("a file of the archive", () => {
  it("gives each task back from its slice alone, whatever is in it and however it is cut", async () => {
    const texts = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 1, max: 40 }), async (words, size) => {
        const file = new ArchiveFile();
        const slices = words.map((text) => file.add(viewOf({ result: { text } }), eventsOf(1, 2)));
        const bytes = file.bytes();

        for (const [index, { offset, length }] of slices.entries()) {
          const [view, ...events] = await all(
            linesOf(piecesOf(bytes.slice(offset, offset + length), size)),
          );
          expect(viewOfLine(view)).toEqual(viewOf({ result: { text: words[index] } }));
          expect(events.map(eventOfLine)).toEqual(eventsOf(1, 2));
        }
        expect(slices.reduce((sum, { length }) => sum + length, 0)).toBe(bytes.length);
      }),
      { numRuns: 50 },
    );
  });

  it("reads no further than it is asked", async () => {
    let given = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; given < 10; given += 1) yield new TextEncoder().encode("a line\n");
    }

    for await (const line of linesOf(source())) {
      expect(line).toBe("a line");
      break;
    }

    expect(given).toBe(0);
  });

  it("refuses lines that are none of its own", () => {
    expect(() => viewOfLine(undefined)).toThrow("Invalid input");
    expect(() => eventOfLine(JSON.stringify({ ...eventOf(1), seq: 0 }))).toThrow("seq");
  });
});
