/** A body that says nothing of its length, of so many bytes. */
export function chunked(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const length = Math.min(left, 65_536);
      left -= length;
      if (length > 0) controller.enqueue(new Uint8Array(length).fill(0x20));
      else controller.close();
    },
  });
}
