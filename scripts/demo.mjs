/**
 * Shows Batuta at work on this machine, and leaves nothing behind: `npm run demo`.
 *
 * A server with fresh state, a webhook receiver that verifies every signature, an analysis of real data by the built-in
 * executor, a second task by an executor of its own process; then every promise is checked against what arrived.
 * Exits with 0 when all were kept, 1 with the broken one in plain words, 130 after Ctrl-C.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { createApi } from "./demo/api.mjs";
import { promisesOf } from "./demo/promises.mjs";
import { startReceiver } from "./demo/receiver.mjs";
import { heading, paragraph, progressBar, say, styled, waiting } from "./demo/screen.mjs";
import { startServer } from "./demo/server.mjs";
import { lineOf, showFindings, showReport, showWebhooks } from "./demo/views.mjs";

const root = path.join(import.meta.dirname, "..");
const DATA = "examples/seattle-weather.csv";
const EXECUTOR = "examples/executor.mjs";
const AGENT_ID = "word-counter";

/** Longer than any machine needs: whatever hangs, the server must not outlive the patience of its owner. */
const LONGEST_MS = 180_000;

/** Webhooks take milliseconds, history a second; a busy machine gets time. */
const SETTLED_WITHIN_MS = 20_000;

const POEM = `Two roads diverged in a wood, and I, I took the one less traveled by,
  and that has made all the difference.`;

const stopping = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => stopping.abort(name));
// Whoever read our output has gone: nobody is left to show anything to.
process.stdout.on("error", () => stopping.abort("SIGPIPE"));
const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(LONGEST_MS)]);

const ok = styled("green", "✓");

/** A key with one scope each, as a real installation would hand out. */
async function createKeys(server) {
  const admin = createApi(server.url, server.adminKey, signal);
  const [orchestrator, executor] = await Promise.all(
    ["orchestrate", "execute"].map((scope) =>
      admin.post("/v1/keys", { name: `demo: ${scope}`, scopes: [scope] }),
    ),
  );
  return { orchestrator: orchestrator.key, executor: executor.key };
}

/** The task while it runs: every event of its stream, each told to `tell`. */
async function watch(api, task_id, tell) {
  const streamed = [];
  for await (const { id, name, event } of api.stream(task_id)) {
    if (id !== event.seq || name !== event.type) {
      throw new Error(`the stream names seq ${event.seq}, ${event.type} as ${id}, ${name}`);
    }
    streamed.push(event);
    tell(event);
  }
  return streamed;
}

/** Everything that can be seen of a task from outside, once webhooks and history have caught up. */
async function lifeOf(api, receiver, task_id, streamed) {
  const [view, log, report] = await Promise.all([
    api.get(`/v1/tasks/${task_id}`),
    api.log(task_id),
    api.get(`/v1/tasks/${task_id}/report`),
  ]);
  const arrived = () => {
    const own = receiver.received.filter((webhook) => webhook.task_id === task_id);
    // Delivery is at least once: receivers know a repetition by its webhook-id.
    return own.filter(({ id }, index) => own.findIndex((other) => other.id === id) === index);
  };
  const inList = async () => {
    const { items } = await api.get("/v1/tasks");
    return items.find((item) => item.task_id === task_id) ?? null;
  };
  const webhooks = await api.until(
    (found) => found.length >= view.notification_count,
    async () => arrived(),
    SETTLED_WITHIN_MS,
  );
  const listedView = await api.until((found) => found?.seq === view.seq, inList, SETTLED_WITHIN_MS);
  return { task_id, streamed, log, webhooks, view, listedView, report };
}

/** A data set for the built-in executor. */
async function analyse(api, receiver) {
  const csv = readFileSync(path.join(root, DATA), "utf8");
  heading(`A task for the built-in executor: four years of weather in Seattle (${DATA})`);
  const begun = performance.now();
  const { task_id } = await api.post("/v1/tasks", {
    task_id: "seattle-weather",
    task_type: "data_analysis",
    description: "Profile four years of daily weather in Seattle and say what is worth knowing.",
    parameters: { input_data: { csv } },
  });
  say(
    `  POST /v1/tasks ${ok} accepted after ${Math.round(performance.now() - begun)} ms: ${task_id}`,
  );
  const bar = progressBar();
  const streamed = await watch(api, task_id, ({ type, at, data }) => {
    const { progress_percentage, current_step } = data.data ?? {};
    if (type === "task_progress") bar.step(progress_percentage, current_step, Date.parse(at));
    else bar.end(Date.parse(at));
  });
  const life = await lifeOf(api, receiver, task_id, streamed);
  const { status, agent_id, report } = { ...life.view, report: life.report };
  say(`  ${ok} ${status} by ${agent_id} in ${report.metrics.duration_s} s`);
  if (life.view.result !== null) showFindings(life.view.result);
  showReport(life.report);
  showWebhooks(life.webhooks);
  return life;
}

/** Runs examples/executor.mjs as whoever tries it would, until `use` is done. */
async function withExecutor(server, key, use) {
  const env = { ...process.env, BATUTA_URL: server.url, BATUTA_KEY: key, AGENT_ID };
  const child = spawn(process.execPath, [path.join(root, EXECUTOR)], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  child.stderr.on("data", (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    const outcome = await Promise.race([use(), ended.then(() => null)]);
    if (outcome === null) throw new Error(`${EXECUTOR} ended too early. It said:\n${output}`);
    return outcome;
  } finally {
    child.kill();
    await ended;
  }
}

/** A task that the built-in executor cannot take, for an executor that is a program of its own. */
async function count(api, receiver, server, key) {
  heading(`A task for an executor of your own: ${EXECUTOR}, a process that speaks plain HTTP`);
  return withExecutor(server, key, async () => {
    const { task_id } = await api.post("/v1/tasks", {
      task_id: "road-not-taken",
      task_type: "general",
      description: "Count the words of the end of a poem.",
      parameters: { input_data: { text: POEM } },
      pool: "words",
      requires: { capabilities: ["word_count"] },
    });
    const streamed = await watch(api, task_id, (event) => {
      const line = lineOf(event);
      if (line !== null) paragraph(line, `  ${String(event.seq).padStart(2)}  `);
    });
    return lifeOf(api, receiver, task_id, streamed);
  });
}

/** Says of each promise whether it was kept. True when all were. */
function judge(lives, receiver) {
  heading("What was promised, checked for both tasks");
  const promises = promisesOf(lives);
  for (const { text, faults } of promises) {
    say(`  ${faults.length === 0 ? ok : styled("red", "✗")} ${text}`);
    for (const fault of faults) paragraph(styled("red", fault), "      ");
  }
  if (receiver.fault !== null) say(`  the receiver itself failed: ${receiver.fault.message}`);
  return receiver.fault === null && promises.every(({ faults }) => faults.length === 0);
}

async function show(server, receiver) {
  heading("Batuta hands tasks from orchestrator agents to executor agents, and never loses one.");
  const start = waiting("A server with fresh state is starting");
  try {
    await server.ready();
    start.done(`${ok} a server with fresh state at ${server.url}`);
  } finally {
    start.done(null);
  }
  const keys = await createKeys(server);
  const api = createApi(server.url, keys.orchestrator, signal);
  const { secret } = await api.post("/v1/webhooks", { url: receiver.url, events: ["all"] });
  receiver.secret = secret;
  say(`  ${ok} a webhook to a receiver that verifies every signature with standardwebhooks`);
  const first = await analyse(api, receiver);
  const second = await count(api, receiver, server, keys.executor);
  return judge([first, second], receiver);
}

/** An error and, where it has one, its cause: a failed fetch says nothing without. */
function described({ message, cause }) {
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

const begun = performance.now();
const receiver = await startReceiver();
const server = await startServer(signal);
process.once("exit", server.kill);
let isKept = false;
try {
  isKept = await show(server, receiver);
} catch (error) {
  const hint = signal.aborted && !stopping.signal.aborted ? "it took too long: " : "";
  if (!stopping.signal.aborted) console.error(`\nThe demo failed: ${hint}${described(error)}`);
}
receiver.close();
const isGone = await server.stop();
const took = ((performance.now() - begun) / 1_000).toFixed(1);
if (stopping.signal.aborted) {
  console.error("\nStopped, and the server with it.");
  process.exitCode = 130;
} else if (isKept && isGone) {
  say(`\n${ok} All of it held, in ${took} s. The server is stopped and its state is gone.`);
  say(`  Next: npm start, then http://127.0.0.1:8787`);
} else {
  if (!isGone) console.error("The server left processes behind; they were killed.");
  console.error(`\nA promise was broken, or could not be checked (${took} s).`);
  process.exitCode = 1;
}
