import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Refusal } from "../../protocol/refusal.ts";

/**
 * Compressed bytes that are decompressed at a time.
 *
 * workerd inflates all that is written to a DecompressionStream before anything of it can be read (measured: of a
 * bomb of 64 MiB all 64 were inflated when a reader had taken one), so what is written at once bounds what is held.
 * Deflate makes at most 1,032 bytes of one (zlib.net/zlib_tech.html): 4 MiB of these.
 */
const SLICE_BYTES = 4_096;

/** Chunks as one. */
export function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, position);
    position += chunk.length;
  }
  return bytes;
}

/** A body cut into pieces that are handed out one by one, as they are asked for. */
export function slicesOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let position = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const slice = bytes.subarray(position, position + SLICE_BYTES);
        position += slice.length;
        if (slice.length > 0) controller.enqueue(slice);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * The bytes that were compressed with gzip.
 *
 * Reading ends with the first byte beyond the limit, whatever is still to come. A checksum or a length that is
 * wrong, an end that is missing and anything behind the end break the whole.
 *
 * Refuses with `body_too_large` and `malformed_json`.
 */
export async function gunzip(
  compressed: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<Result<Uint8Array, Refusal>> {
  const inflated = compressed.pipeThrough(new DecompressionStream("gzip"));
  // A read into a buffer takes all there is; others take 4 KiB and let the writer run ahead.
  const reader = inflated.getReader({ mode: "byob" });
  const chunks: Uint8Array[] = [];
  let buffer = new ArrayBuffer(maxBytes + 1);
  let length = 0;
  try {
    while (length <= maxBytes) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return ok(joined(chunks, length));
      chunks.push(value.slice());
      length += value.length;
      // The reader took the buffer and has given it back.
      buffer = value.buffer;
    }
    await reader.cancel();
  } catch {
    return refuse({
      code: "malformed_json",
      detail: "the body is not one whole gzip stream, with nothing behind it",
    });
  }
  return refuse({
    code: "body_too_large",
    detail: `the body must not exceed ${maxBytes} bytes once it is decompressed`,
    extra: { max_bytes: maxBytes },
  });
}
