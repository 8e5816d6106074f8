/** The few calls that the demo makes, as a stranger's program would make them. */
import { setTimeout as pause } from "node:timers/promises";

/** Between two questions for something that has not happened yet. */
const PAUSE_MS = 200;

/** One message of a server-sent event stream; comments are null. */
function parseMessage(text) {
  const fields = Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith(":"))
      .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  if (fields.data === undefined) return null;
  return { id: Number(fields.id), name: fields.event, event: JSON.parse(fields.data) };
}

async function* messagesOf(body) {
  let pending = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    pending += chunk;
    const messages = pending.split("\n\n");
    pending = messages.pop();
    for (const message of messages) {
      const parsed = parseMessage(message);
      if (parsed !== null) yield parsed;
    }
  }
}

/** A client of one server with one key. Throws with the problem's own words when a call is refused. */
export function createApi(url, key, signal) {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };

  async function call(method, path, body) {
    const answer = await fetch(url + path, { method, headers, body, signal });
    const text = await answer.text();
    if (answer.ok) return text === "" ? null : JSON.parse(text);
    throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
  }

  /** Every message of a task's stream, until the task has ended. */
  async function* stream(task_id) {
    const answer = await fetch(`${url}/v1/tasks/${task_id}/stream`, { headers, signal });
    if (!answer.ok) throw new Error(`the stream was answered with ${answer.status}`);
    yield* messagesOf(answer.body);
  }

  /** The whole log of a task, page by page. */
  async function log(task_id) {
    const items = [];
    let after = "0";
    while (after !== null) {
      const page = await call("GET", `/v1/tasks/${task_id}/events?after=${after}`);
      items.push(...page.items);
      after = page.next_cursor;
    }
    return items;
  }

  /** Asks again until the answer is good enough, or the time is over; the last answer either way. */
  async function until(isGood, ask, withinMs) {
    const giveUpAt = Date.now() + withinMs;
    for (;;) {
      const answer = await ask();
      if (isGood(answer) || Date.now() > giveUpAt) return answer;
      await pause(PAUSE_MS, undefined, { signal });
    }
  }

  const get = (path) => call("GET", path);
  const post = (path, body) => call("POST", path, JSON.stringify(body));
  return { get, post, stream, log, until };
}
