import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";

import { call, patience, queryOf, sender } from "../../src/console/api/client.ts";
import { session, sessionEnd, signIn, signOut } from "../../src/console/api/session.ts";
import { follow, type StreamState } from "../../src/console/api/stream.ts";
import { object, text } from "../../src/console/lib/shape.ts";
import { drawnName, submissionNames } from "../../src/console/lib/submission-name.ts";

type Reply = (request: IncomingMessage, response: ServerResponse, turn: number) => void;

/** A server whose answers a test gives, and what it was asked. */
let reply: Reply = () => undefined;
let asked: IncomingMessage[] = [];
const server = createServer((request, response) => {
  asked.push(request);
  reply(request, response, asked.length);
});
let base = "";

beforeEach(async () => {
  asked = [];
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${z.object({ port: z.int() }).parse(server.address()).port}`;
  signIn("bk_test");
});

afterEach(async () => {
  signOut();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const shape = object({ name: text });
const send = sender(new AbortController().signal);
const json = (response: ServerResponse, status: number, body: unknown, headers = {}): void => {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
};

describe("a call", () => {
  it("carries the key and is read by its shape", async () => {
    reply = (_, response) => json(response, 200, { name: "a", more: 1 });

    const answer = await send("POST", `${base}/x`, shape, { a: 1 });

    expect(answer).toEqual({ ok: true, value: { name: "a" } });
    expect(asked[0]?.headers).toMatchObject({
      authorization: "Bearer bk_test",
      "content-type": "application/json",
    });
  });

  it("gives a refusal as it is said", async () => {
    reply = (_, response) =>
      json(response, 409, { code: "task_ended", detail: "over", request_id: "r" });

    const answer = await call(`${base}/x`, shape);

    expect(answer).toMatchObject({ ok: false, problem: { status: 409, code: "task_ended" } });
  });

  it("waits when the server asks for patience, lets it be seen, and asks again", async () => {
    const seen: (number | null)[] = [];
    const stop = patience.subscribe(() => seen.push(patience.get()));
    reply = (_, response, turn) =>
      turn === 1
        ? json(response, 429, {}, { "Retry-After": "0" })
        : json(response, 200, { name: "b" });

    const answer = await send("POST", `${base}/x`, shape, {});
    stop();

    expect(answer).toEqual({ ok: true, value: { name: "b" } });
    expect([typeof seen[0], seen.at(-1)]).toEqual(["number", null]);
  });

  it("does not repeat a change behind a 503, which may have happened", async () => {
    reply = (_, response) => json(response, 503, { code: "unavailable" }, { "Retry-After": "0" });

    const answer = await send("POST", `${base}/x`, shape, {});

    expect(answer).toMatchObject({
      ok: false,
      problem: { code: "unavailable", mayHaveHappened: true },
    });
    expect(asked).toHaveLength(1);
  });

  it("ends the session when the key is refused, but not for a key that is tried", async () => {
    reply = (_, response) => json(response, 401, {});

    await call(`${base}/x`, shape, { key: "bk_other" });
    expect(session.get()).toBe("bk_test");
    await call(`${base}/x`, shape);

    expect([session.get(), sessionEnd.get()]).toEqual([null, "refused"]);
  });

  it("says that nobody answers when nobody does", async () => {
    reply = (request) => request.socket.destroy();

    expect(await call(`${base}/x`, shape)).toMatchObject({
      ok: false,
      problem: { status: 0, code: "unreachable" },
    });
  });

  it("says of a change whose answer is lost that it may have happened, and of nothing else", async () => {
    reply = (request) => request.socket.destroy();

    expect(await send("POST", `${base}/x`, shape, {})).toMatchObject({
      problem: { code: "unreachable", mayHaveHappened: true },
    });
    const read = await call(`${base}/x`, shape);
    expect(read).not.toHaveProperty("problem.mayHaveHappened");
  });

  it("is not made again when whoever waits for it goes away", async () => {
    const gone = new AbortController();
    reply = (_, response) => {
      json(response, 429, {}, { "Retry-After": "1" });
      setTimeout(() => gone.abort(), 50);
    };

    const answer = await sender(gone.signal)("POST", `${base}/x`, shape, {});

    expect(answer).toMatchObject({ ok: false, problem: { code: "abandoned" } });
    expect(asked).toHaveLength(1);
    expect(patience.get()).toBeNull();
  });

  it("is never made with the key of another session", async () => {
    reply = (_, response) => {
      json(response, 429, {}, { "Retry-After": "1" });
      setTimeout(() => {
        signOut();
        signIn("bk_other");
      }, 50);
    };

    const answer = await send("POST", `${base}/x`, shape, {});

    expect(answer).toMatchObject({ ok: false, problem: { code: "abandoned" } });
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer bk_test"]);
    expect(session.get()).toBe("bk_other");
  });

  it("that changes something is not cut off on its way, and says that it has been done", async () => {
    const gone = new AbortController();
    reply = (_, response) => {
      gone.abort();
      setTimeout(() => json(response, 201, { name: "made" }), 50);
    };

    const answer = await sender(gone.signal)("POST", `${base}/x`, shape, {});

    expect(answer).toMatchObject({ ok: false, problem: { code: "done_anyway" } });
  });

  it("has the same name when the same is sent again, and another for something else", async () => {
    let drawn = 0;
    const named = sender(
      new AbortController().signal,
      submissionNames(() => `name-${(drawn += 1)}`),
    );
    reply = (_, response) => json(response, 503, {});

    for (const a of [1, 1, 2]) await named("POST", `${base}/x`, shape, { a });

    expect(asked.map(({ headers }) => headers["idempotency-key"])).toEqual([
      "name-1",
      "name-1",
      "name-2",
    ]);
    expect(drawnName()).toMatch(/^[0-9a-f]{32}$/);
  });

  it("leaves out of a query what is not there", () => {
    expect(queryOf({ a: 1, b: "", c: null, d: "x&y" })).toBe("?a=1&d=x%26y");
    expect(queryOf({ b: undefined })).toBe("");
  });
});

describe("a stream that is followed", () => {
  const events = (response: ServerResponse, lines: string): void => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.end(lines);
  };

  /** Follows until it is over, and gives all that was heard. */
  function heardOf(path: string): Promise<{ data: string[]; states: StreamState[] }> {
    const data: string[] = [];
    const states: StreamState[] = [];
    return new Promise((resolve) => {
      follow(path, {
        onEvent: (event) => data.push(event.data),
        onState(state) {
          states.push(state);
          if (state === "over" || state === "refused") resolve({ data, states });
        },
      });
    });
  }

  it("goes on behind the last event after the connection is lost, until all is said", async () => {
    reply = (request, response, turn) => {
      if (turn === 1) return events(response, "id: 1\ndata: a\n\nid: 2\ndata: b\n\n");
      if (turn === 2) return void request.socket.destroy();
      if (turn === 3) return events(response, "id: 3\ndata: c\n\n");
      return void response.writeHead(204).end();
    };

    const { data, states } = await heardOf(`${base}/stream`);

    expect(data).toEqual(["a", "b", "c"]);
    expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual([
      undefined,
      "2",
      "2",
      "3",
    ]);
    expect(states.at(-1)).toBe("over");
    expect(states.filter((state) => state === "open")).toHaveLength(2);
  }, 15_000);

  it("is not asked again when it is refused", async () => {
    reply = (_, response) => json(response, 404, { code: "task_not_found" });

    const { states } = await heardOf(`${base}/stream`);

    expect(states).toEqual(["connecting", "refused"]);
    expect(asked).toHaveLength(1);
  });
});
