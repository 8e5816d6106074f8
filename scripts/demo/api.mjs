/** The few calls that the demo makes, as a stranger's program would make them. */
import { setTimeout as pause } from "node:timers/promises";

/** A client of one server with one key. Throws with the problem's own words when a call is refused. */
export function createApi(url, key, signal) {
  async function call(method, path, body) {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    });
    const text = await answer.text();
    if (!answer.ok)
      throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** Every event of a task, as the stream brings it, until the task has ended. */
  async function* events(task_id) {
    const answer = await fetch(`${url}/v1/tasks/${task_id}/stream`, {
      headers: { authorization: `Bearer ${key}` },
      signal,
    });
    if (!answer.ok) throw new Error(`the stream was answered with ${answer.status}`);
    let pending = "";
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      pending += chunk;
      const messages = pending.split("\n\n");
      pending = messages.pop();
      for (const message of messages) {
        const event = parseMessage(message);
        if (event !== null) yield event;
      }
    }
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

  return {
    get: (path) => call("GET", path),
    post: (path, body) => call("POST", path, body),
    events,
    log,
  };
}

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

/** Asks again until the answer is good enough, or the time is over; the last answer either way. */
export async function until(isGood, ask, withinMs) {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer) || Date.now() > giveUpAt) return answer;
    await pause(200);
  }
}
