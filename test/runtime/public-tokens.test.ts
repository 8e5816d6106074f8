import { exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createPublicTokens } from "../../src/access/public-tokens.ts";
import { createMac } from "../../src/lib/mac.ts";
import { ROUTES } from "../../src/rest/app.ts";
import { SEAL_KEY } from "../sealer.ts";
import { T0 } from "../task-news.ts";
import { call, ended, Executor, submit } from "./batuta.ts";
import { bootstrap, created, newKeys } from "./key-world.ts";
import { newTenant } from "./tenant.ts";

interface Minted {
  token: string;
  expires_at: string;
  stream_url: string;
}

async function minted(task_id: string, expires_in_seconds = 60): Promise<Minted> {
  const path = `/v1/tasks/${task_id}/tokens`;
  return (await call<Minted>("POST", path, { expires_in_seconds })).body;
}

/** A request of somebody who has nothing but a token. */
async function get(path: string, { token = "", isInQuery = false } = {}, method = "GET") {
  const separator = path.includes("?") ? "&" : "?";
  const response = await exports.default.fetch(
    new Request(
      `https://batuta.test${path}${isInQuery ? `${separator}access_token=${token}` : ""}`,
      { method, ...(!isInQuery && { headers: { authorization: `Bearer ${token}` } }) },
    ),
  );
  return { status: response.status, text: await response.text() };
}

const READABLE = ["", "/events?limit=5", "/stream", "/report", "/explain"];

/** Everything that the Worker printed. */
let printed = "";
beforeEach(() => {
  printed = "";
  for (const level of ["log", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...line: unknown[]) => {
      printed += line.join(" ");
    });
  }
});
afterEach(() => vi.restoreAllMocks());

async function endedTask(): Promise<{ task_id: string; lease: string }> {
  const executor = await new Executor(`shown-${crypto.randomUUID().slice(0, 8)}`).register();
  await submit({ requires: { capabilities: [executor.agent_id] } });
  await executor.claim();
  await executor.start();
  await executor.complete();
  await executor.end();
  await ended(executor.task_id);
  return { task_id: executor.task_id, lease: executor.lease["lease-token"] ?? "" };
}

describe("a public token", () => {
  it("reads view, events, stream, report and explanation of its task, by header and by address", async () => {
    const { task_id, lease } = await endedTask();
    const { token, stream_url } = await minted(task_id);

    const seen: { status: number; text: string }[] = [];
    for (const path of READABLE) {
      for (const isInQuery of [false, true]) {
        // One after the other, so that the log is in order.
        // oxlint-disable-next-line no-await-in-loop
        seen.push(await get(`/v1/tasks/${task_id}${path}`, { token, isInQuery }));
      }
    }

    expect(seen.map(({ status }) => status)).toEqual(seen.map(() => 200));
    // The ids that a test gives its notifications hold the token; what Batuta shows of itself does not.
    const all = seen.map(({ text }) => text.replaceAll(/"notification_id":"[^"]*"/g, "")).join();
    expect(all).toContain("agent_end_task");
    // What fences the attempt, and what opens the door, are nobody's to see.
    expect(all).not.toContain(lease);
    expect(all).not.toMatch(/pt_|bk_|whsec_/);
    expect(printed).toContain('"event":"request"');
    expect(printed).not.toMatch(/pt_|access_token/);
    expect(stream_url).toBe(`https://batuta.test/v1/tasks/${task_id}/stream?access_token=${token}`);
  });

  it("opens no other task, and does not tell which ones there are", async () => {
    const { task_id } = await submit({});
    const other = await submit({});
    const { token } = await minted(task_id);
    const tenant = await newTenant(`shown-${crypto.randomUUID().slice(0, 8)}`);
    const foreign = await tenant<{ task_id: string }>("POST", "/v1/tasks", {
      task_type: "research",
      description: "a task of another tenant",
    });

    const ids = [other.task_id, foreign.body.task_id, "never-there"];
    const answers = await Promise.all(ids.map((id) => get(`/v1/tasks/${id}`, { token })));

    const problems = answers.map(({ text }) => {
      const { request_id: _id, instance: _path, ...rest } = JSON.parse(text);
      return rest;
    });
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(problems[0]).toMatchObject({ code: "task_not_found" });
    expect(problems[1]).toEqual(problems[0]);
    expect(problems[2]).toEqual(problems[0]);
  });

  it("opens no route that is not marked for it", async () => {
    const { task_id } = await submit({});
    const { token } = await minted(task_id);
    const closed = ROUTES.filter(
      ({ scopes, isPublicReadable }) => scopes !== null && isPublicReadable !== true,
    );

    const answers = await Promise.all(
      closed.map(async ({ method, path }) => {
        const at = path.replace(":task_id", task_id).replaceAll(/:\w+/g, "x");
        const byHeader = await get(at, { token }, method);
        const byAddress = await get(at, { token, isInQuery: true }, method);
        return [byHeader.status, byAddress.status];
      }),
    );

    expect(closed.length).toBeGreaterThan(50);
    expect(new Set(answers.flat())).toEqual(new Set([401]));
    expect(ROUTES.filter((route) => route.isPublicReadable).map(({ id }) => id)).toEqual([
      "get_task",
      "list_task_events",
      "stream_task_events",
      "get_task_report",
      "explain_task",
    ]);
  });

  it("is refused when it is changed, in company, or when a key stands in its place in the address", async () => {
    const { task_id } = await submit({});
    const { token } = await minted(task_id);
    const path = `/v1/tasks/${task_id}`;
    const { key } = (
      await call<{ key: string }>("POST", "/v1/keys", { name: "k", scopes: ["observe"] })
    ).body;
    const [grant = "", mark = ""] = token.split(".");
    const longer = btoa(JSON.stringify([1, "default", task_id, "key_bootstrap", 9_999_999_999]));

    const answers = [
      await get(path, { token: `${grant}.${mark.slice(0, -2)}AA` }),
      await get(path, { token: `pt_${longer.replaceAll("=", "")}.${mark}` }),
      await get(path, { token: "pt_x" }),
      await get(path, { token: `pt_${"!".repeat(9)}.${mark}` }),
      await get(path, { token: key, isInQuery: true }),
      await get(`${path}?access_token=${token}`, { token }),
      await get(`${path}?access_token=${token}`, { token, isInQuery: true }),
      await get(`${path}?access_token=`),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401, 401, 401]);
    expect(answers.map(({ text }) => text).join()).not.toMatch(/pt_[A-Za-z0-9]{3}|bk_/);
  });

  it("is made for who may read the task, with a stored key alone", async () => {
    const { task_id } = await submit({});
    const tenant = await newTenant(`maker-${crypto.randomUUID().slice(0, 8)}`);

    const foreign = await tenant("POST", `/v1/tasks/${task_id}/tokens`, {});
    const unknown = await call("POST", "/v1/tasks/never-there/tokens", {});

    expect([foreign, unknown]).toMatchObject([
      { status: 404, body: { code: "task_not_found" } },
      { status: 404, body: { code: "task_not_found" } },
    ]);
  });

  it("dies with its key at once, and is not touched by a rotation", async () => {
    const { task_id } = await submit({});
    const { body: made } = await call<{ key: string; key_id: string }>("POST", "/v1/keys", {
      name: "viewer",
      scopes: ["observe"],
    });
    const { body } = await call<Minted>(
      "POST",
      `/v1/tasks/${task_id}/tokens`,
      {},
      { authorization: `Bearer ${made.key}` },
    );
    const read = async () => (await get(`/v1/tasks/${task_id}`, body)).status;

    const seen = [await read()];
    await call("POST", `/v1/keys/${made.key_id}/rotate`, { overlap_seconds: 0 });
    seen.push(await read());
    await call("DELETE", `/v1/keys/${made.key_id}`);
    seen.push(await read());

    expect(seen).toEqual([200, 200, 401]);
  });
});

describe("public tokens on a clock", () => {
  function newTokens(sealKeys = [SEAL_KEY], adminKey = "an operator chose this") {
    const world = newKeys(adminKey);
    const tokens = createPublicTokens({
      mac: createMac(sealKeys, "test"),
      now: () => world.clock.now,
      markOf: (key_id) => world.keys.markOf(key_id),
      isGood: (name) => world.keys.isGood(name),
    });
    return { ...world, tokens };
  }

  async function tokenOf(tokens: ReturnType<typeof newTokens>["tokens"], by = bootstrap) {
    const made = await tokens.mint(by, "t1", 60);
    return made.ok ? made.value.token : "";
  }

  it("end with their time and with the expiry of their key", async () => {
    const { tokens, desk, clock } = newTokens();
    const key = await created(desk, {
      tenant: "acme",
      expires_at: new Date(T0 + 30_000).toISOString(),
    });
    const own = await tokenOf(tokens);
    const short = await tokenOf(tokens, { ...bootstrap, ...key, isBootstrap: false });
    const live: boolean[][] = [];
    for (const now of [T0 + 29_000, T0 + 30_000, T0 + 59_000, T0 + 60_000]) {
      clock.now = now;
      const readers = [await tokens.readerOf(own), await tokens.readerOf(short)];
      live.push(readers.map((reader) => reader !== null));
    }

    expect(live).toEqual([
      [true, true],
      [true, false],
      [true, false],
      [false, false],
    ]);
  });

  it("make their holder a reader of one task, under a name of its own", async () => {
    const { tokens } = newTokens();

    expect(await tokens.readerOf(await tokenOf(tokens))).toEqual({
      key_id: expect.stringMatching(/^public\/t1\/\w+$/),
      tenant: "default",
      scopes: ["observe"],
      isBootstrap: false,
      public_task: { task_id: "t1", expires_at: T0 + 60_000 },
    });
  });

  it("are verified with every seal key, signed with the first, and die with the bootstrap key that made them", async () => {
    const old = newTokens();
    const token = await tokenOf(old.tokens);
    const both = newTokens(["another key that seals secrets in tests", SEAL_KEY]);
    const none = newTokens(["another key that seals secrets in tests"]);
    const changed = newTokens([SEAL_KEY], "an operator chose another");

    const live = await Promise.all(
      [both, none, changed].map(async ({ tokens }) => (await tokens.readerOf(token)) !== null),
    );

    expect(live).toEqual([true, false, false]);
  });

  it("cost D1 nothing when they are made up, and one read in five seconds when they are not", async () => {
    const { tokens, desk, recording } = newTokens();
    const key = await created(desk);
    const token = await tokenOf(tokens, { ...bootstrap, ...key, isBootstrap: false });
    const before = recording.trips();

    await tokens.readerOf(`${token.slice(0, -3)}AAA`);
    const forged = recording.trips() - before;
    for (let ask = 0; ask < 5; ask += 1) await tokens.readerOf(token);

    expect([forged, recording.trips() - before]).toEqual([0, 0]);
  });

  it("are made for no token of another issuer and no agent's signature", async () => {
    const { tokens } = newTokens();
    const by = { ...bootstrap, isBootstrap: false };

    const answers = [
      await tokens.mint({ ...by, key_id: "jwt:joe" }, "t1", 60),
      await tokens.mint({ ...by, agent_id: "ann" }, "t1", 60),
    ];

    expect(answers).toMatchObject([
      { refusal: { code: "forbidden" } },
      { refusal: { code: "forbidden" } },
    ]);
  });
});
