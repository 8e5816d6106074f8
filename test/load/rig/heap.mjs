/** What a Worker's isolate holds, by workerd's inspector (Chrome DevTools Protocol). */

/** The address of the Worker's own isolate: others beside it simulate the platform. */
async function targetOf(server) {
  const { host } = await server.inspector();
  const targets = await (await fetch(`http://${host}/json`)).json();
  const target = targets.find(({ id }) => id.startsWith("core:user:"));
  if (target === undefined) throw new Error("the inspector knows no Worker");
  return `ws://${host}/${target.id}`;
}

/** Sends commands one after the other, and gives the answer to the last. */
async function ask(url, methods) {
  const socket = new WebSocket(url);
  const { promise, resolve, reject } = Promise.withResolvers();
  const send = (index) => socket.send(JSON.stringify({ id: index, method: methods[index] }));
  socket.addEventListener("open", () => send(0));
  socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)));
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    if (id === undefined) return;
    if (error !== undefined) reject(new Error(error.message));
    else if (id === methods.length - 1) resolve(result);
    else send(id + 1);
  });
  try {
    return await promise;
  } finally {
    socket.close();
  }
}

/** Bytes of live objects: twice collected, because what a first time finalises is freed by a second. */
export async function heapBytes(server) {
  const collect = "HeapProfiler.collectGarbage";
  const { usedSize } = await ask(await targetOf(server), [
    collect,
    collect,
    "Runtime.getHeapUsage",
  ]);
  return usedSize;
}
