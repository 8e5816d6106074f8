/** The CPU profile of a Worker, by workerd's inspector (Chrome DevTools Protocol), with the names of its sources. */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";

/** Microseconds between two samples. */
const SAMPLING_US = 500;

/** A command and its answer, over one socket. */
class Session {
  #socket;
  #open = new Map();
  #last = 0;

  static async to(url) {
    const session = new Session();
    const { promise, resolve, reject } = Promise.withResolvers();
    session.#socket = new WebSocket(url);
    session.#socket.addEventListener("open", resolve);
    session.#socket.addEventListener("error", () => reject(new Error(`no inspector at ${url}`)));
    session.#socket.addEventListener("message", ({ data }) => session.#settle(JSON.parse(data)));
    await promise;
    return session;
  }

  send(method, params = {}) {
    this.#last += 1;
    const { promise, resolve, reject } = Promise.withResolvers();
    this.#open.set(this.#last, { resolve, reject });
    this.#socket.send(JSON.stringify({ id: this.#last, method, params }));
    return promise;
  }

  close() {
    this.#socket.close();
  }

  #settle({ id, result, error }) {
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }
}

/** The address of one Worker's isolate: others beside it simulate the platform. */
async function targetOf(server) {
  const { host } = await server.inspector();
  const targets = await (await fetch(`http://${host}/json`)).json();
  const target = targets.find(({ id }) => id.startsWith("core:user:"));
  if (target === undefined) {
    throw new Error(`the inspector knows no Worker, but ${targets.map(({ id }) => id).join(", ")}`);
  }
  return `ws://${host}/${target.id}`;
}

/** What begins a profile of a server and ends it; its end gives it as the protocol has it (Profiler.Profile). */
export async function recorderOf(server) {
  const session = await Session.to(await targetOf(server));
  await session.send("Profiler.enable");
  await session.send("Profiler.setSamplingInterval", { interval: SAMPLING_US });
  return {
    start: () => session.send("Profiler.start"),
    async stop() {
      const { profile } = await session.send("Profiler.stop");
      session.close();
      return profile;
    },
  };
}

/** What V8 calls the time in which no JavaScript of this Worker runs: it waits, or the runtime is at work. */
const NOT_OURS = new Set(["(idle)", "(root)", "(program)"]);

/**
 * Milliseconds of self time by function and by room.
 *
 * @param profile as `profileOf` gives it
 * @param script the bundle, whose source map lies beside it
 * @returns {{ functions: {name: string, room: string, ms: number}[], rooms: Record<string, number> }} most first
 */
export function selfTimes(profile, script) {
  const map = new SourceMap(JSON.parse(readFileSync(`${script}.map`, "utf8")));
  const byNode = new Map();
  for (const [index, id] of profile.samples.entries()) {
    byNode.set(id, (byNode.get(id) ?? 0) + Math.max(0, profile.timeDeltas[index]) / 1_000);
  }
  const functions = new Map();
  const rooms = {};
  for (const { id, callFrame } of profile.nodes) {
    const ms = byNode.get(id) ?? 0;
    if (ms === 0 || NOT_OURS.has(callFrame.functionName)) continue;
    const { room, file } = placeOf(callFrame, map);
    rooms[room] = (rooms[room] ?? 0) + ms;
    const name = `${callFrame.functionName || "(anonymous)"} ${file}`.trim();
    const known = functions.get(name) ?? { name, room, ms: 0 };
    known.ms += ms;
    functions.set(name, known);
  }
  const byTime = ([, one], [, other]) => other - one;
  return {
    functions: [...functions.values()].toSorted((one, other) => other.ms - one.ms),
    rooms: Object.fromEntries(Object.entries(rooms).toSorted(byTime)),
  };
}

/** Where a function is written: its room is the folder below src, or the package. */
function placeOf({ functionName, url, lineNumber, columnNumber }, map) {
  if (functionName === "(garbage collector)") return { room: "garbage", file: "" };
  if (!url.endsWith(".js")) return { room: "builtins", file: "" };
  const entry = map.findEntry(lineNumber, columnNumber);
  const source = entry.originalSource ?? url;
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source);
  if (inPackage !== null) return { room: inPackage[1], file: source.split("node_modules/").at(-1) };
  const own = /(?:^|\/)src\/(.+)$/.exec(source);
  if (own === null) return { room: "other", file: source.split("/").at(-1) };
  const line = entry.originalLine === undefined ? "" : `:${entry.originalLine + 1}`;
  const [room] = own[1].split("/");
  return { room: own[1].includes("/") ? room : "wiring", file: `src/${own[1]}${line}` };
}
