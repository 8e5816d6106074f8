/** What a Worker's isolate holds, by workerd's inspector (Chrome DevTools Protocol). */

/** An inspector that takes longer says nothing any more, milliseconds. */
const ANSWER_WITHIN_MS = 20_000;

/** The address of the Worker's own isolate: others beside it simulate the platform. */
async function targetOf(server) {
  const { host } = await server.inspector();
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const targets = await (await fetch(`http://${host}/json`, { signal })).json();
  const target = targets.find(({ id }) => id.startsWith("core:user:"));
  if (target === undefined) throw new Error("the inspector knows no Worker");
  return `ws://${host}/${target.id}`;
}

/** One connection for as long as the server lives. */
export class Heap {
  #socket;
  #waiting = new Map();
  #last = 0;

  static async of(server) {
    const heap = new Heap();
    const { promise, resolve, reject } = Promise.withResolvers();
    const socket = new WebSocket(await targetOf(server));
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the inspector does not answer")));
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(data);
      heap.#waiting.get(id)?.(result);
      heap.#waiting.delete(id);
    });
    heap.#socket = socket;
    await promise;
    return heap;
  }

  /** Bytes of live objects; null when the inspector does not say. Twice collected: what the first finalises goes with the second. */
  async bytes() {
    await this.#ask("HeapProfiler.collectGarbage");
    await this.#ask("HeapProfiler.collectGarbage");
    return (await this.#ask("Runtime.getHeapUsage"))?.usedSize ?? null;
  }

  close() {
    this.#socket.close();
  }

  #ask(method) {
    this.#last += 1;
    const { promise, resolve } = Promise.withResolvers();
    const silence = setTimeout(() => resolve(null), ANSWER_WITHIN_MS);
    this.#waiting.set(this.#last, resolve);
    this.#socket.send(JSON.stringify({ id: this.#last, method }));
    return promise.finally(() => clearTimeout(silence));
  }
}
