import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { newAddress, newClock, newIsolate, newKey } from "./offenders.ts";
import type { Sent } from "./offenders.ts";

const MEBIBYTE = 1_048_576;
const MINUTE = 60_000;
const TASK = JSON.stringify({ task_type: "research", description: "a task of a busy caller" });
const ADMIN = { key: env.BATUTA_ADMIN_KEY };

let clock = newClock();
clock.restore();
beforeEach(() => {
  clock = newClock();
});
afterEach(() => {
  clock.restore();
});

type Call = ReturnType<typeof newIsolate>["call"];

async function repeat(call: Call, times: number, path: string, sent: Sent): Promise<number[]> {
  const statuses: number[] = [];
  for (let turn = 0; turn < times; turn += 1) statuses.push((await call(path, sent)).status);
  return statuses;
}

describe("repeat offenders", () => {
  it("answers 413 to what is too large, blocks the address that goes on with it, and lets go when the minute is over", async () => {
    const { call } = newIsolate(newAddress());
    const oversize = { body: "x".repeat(MEBIBYTE + 1) };

    const statuses = await repeat(call, 21, "/v1/tasks", oversize);
    const blocked = await call("/health");
    clock.pass(MINUTE - 1);
    const late = await call("/health");
    clock.pass(1);
    const after = await call("/health");

    expect(statuses).toEqual([...Array<number>(20).fill(413), 429]);
    expect([blocked.status, blocked.code]).toEqual([429, "temporarily_blocked"]);
    expect(blocked.headers.get("Retry-After")).toBe("60");
    expect([late.status, late.headers.get("Retry-After")]).toEqual([429, "1"]);
    expect(after.status).toBe(200);
  });

  it.each<[what: string, count: number, path: string, sent: Sent]>([
    ["wrong keys", 20, "/v1/tasks", { key: `bk_${"w".repeat(43)}` }],
    [
      "forged signatures",
      20,
      "/v1/notifications",
      {
        body: JSON.stringify({ agent_id: "a1" }),
        headers: {
          "webhook-id": "m1",
          "webhook-timestamp": String(Math.floor(Date.now() / 1_000)),
          "webhook-signature": "v1,AAAA",
        },
      },
    ],
  ])("blocks an address after %s: %i", async (_what, count, path, sent) => {
    const { call } = newIsolate(newAddress());

    expect(await repeat(call, count, path, sent)).toEqual(Array<number>(count).fill(401));
    expect((await call("/health")).code).toBe("temporarily_blocked");
  });

  it("blocks twice as long each time, and forgets after a day", async () => {
    const { call } = newIsolate(newAddress());
    const guess = { key: `bk_${"g".repeat(43)}` };
    const blockedFor = async () => {
      await repeat(call, 20, "/v1/tasks", guess);
      return Number((await call("/health")).headers.get("Retry-After"));
    };

    const lengths: number[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      const length_s = await blockedFor();
      lengths.push(length_s);
      clock.pass(length_s * 1_000);
    }
    clock.pass(24 * 60 * MINUTE);

    expect(lengths).toEqual([60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    expect(await blockedFor()).toBe(60);
  });

  it("adds up over isolates, and blocks in all that see the offender", async () => {
    const address = newAddress();
    const isolates = Array.from({ length: 5 }, () => newIsolate(address));
    const guess = { key: `bk_${"i".repeat(43)}` };

    for (let turn = 0; turn < 5; turn += 1) {
      for (const { call } of isolates) await call("/v1/tasks", guess);
      clock.pass(2_000);
    }

    // No isolate alone has seen the twenty that are needed.
    const seen = await Promise.all(isolates.map(({ call }) => call("/health")));
    expect(seen.map(({ code }) => code)).toEqual(Array<string>(5).fill("temporarily_blocked"));
  });

  it("never locks out a good key for what others behind its address did", async () => {
    const address = newAddress();
    const { call } = newIsolate(address);
    const good = await newKey("acme", ["orchestrate"]);
    const late = await newKey("acme", ["orchestrate"]);
    await call("/v1/tasks", { key: good.key });
    await repeat(call, 20, "/v1/tasks", { key: `bk_${"n".repeat(43)}` });

    const known = await repeat(call, 3, "/v1/tasks", { key: good.key, body: TASK });
    // A key that this isolate has not seen is looked up; one that it knows to be none takes nobody's turn.
    const first = await call("/v1/tasks", { key: `bk_${"m".repeat(43)}` });
    const again = await call("/v1/tasks", { key: `bk_${"m".repeat(43)}` });
    clock.pass(1_000);
    const proven = await repeat(call, 3, "/v1/tasks", { key: late.key });

    expect(known).toEqual([202, 202, 202]);
    expect([first.status, again.status]).toEqual([401, 429]);
    expect(proven).toEqual([200, 200, 200]);
    expect((await call("/health")).code).toBe("temporarily_blocked");
  });

  it("never locks out a key for what is done with a secret that it has no more", async () => {
    const { key, key_id } = await newKey("acme", ["orchestrate"]);
    const { call } = newIsolate(newAddress());
    const rotated = await call(`/v1/keys/${key_id}/rotate?tenant=acme`, {
      ...ADMIN,
      body: '{"overlap_seconds":60}',
    });
    const fresh = String(rotated.body["key"]);
    await call("/v1/tasks", { key });
    clock.pass(120_000);

    await repeat(call, 60, "/v1/tasks", { key });
    const elsewhere = newIsolate(newAddress());

    expect((await elsewhere.call("/v1/tasks", { key: fresh })).status).toBe(200);
    expect((await call("/v1/blocks", ADMIN)).body["items"]).not.toContainEqual(
      expect.objectContaining({ subject: key_id }),
    );
  });

  it("holds oversize bodies with a good key against the key, and lets its public tokens and browsers' questions pass", async () => {
    const { key, key_id } = await newKey("acme", ["orchestrate"]);
    const { call, fetch } = newIsolate(newAddress());
    const task = await call("/v1/tasks", { key, body: TASK });
    const task_id = String(task.body["task_id"]);
    const made = await call(`/v1/tasks/${task_id}/tokens`, { key, body: "{}" });
    await repeat(call, 20, "/v1/tasks", { key, body: "x".repeat(MEBIBYTE + 1) });
    const health = await call("/health");
    const blocked = await call("/v1/tasks", { key });
    await repeat(call, 20, "/v1/tasks", { key: `bk_${"n".repeat(43)}` });
    const anonymous = await call("/health");

    const seen = await fetch(`/v1/tasks/${task_id}?access_token=${String(made.body["token"])}`);
    const asked = await call("/v1/tasks", {
      method: "OPTIONS",
      headers: { Origin: "https://a.example", "Access-Control-Request-Method": "GET" },
    });

    expect([health.status, blocked.code]).toEqual([200, "temporarily_blocked"]);
    expect(anonymous.code).toBe("temporarily_blocked");
    expect([seen.status, asked.status]).toEqual([200, 204]);
    await call(`/v1/blocks/key~acme~${key_id}`, { ...ADMIN, method: "DELETE" });
  });

  it("blocks a key for what it does itself, from wherever, and no other of its tenant", async () => {
    const bad = await newKey("acme", ["orchestrate"]);
    const good = await newKey("acme", ["orchestrate"]);
    const { call } = newIsolate(newAddress());

    const statuses = await repeat(call, 50, "/v1/tasks", { key: bad.key, body: "{" });
    const blocked = await call("/v1/tasks", { key: bad.key });
    const other = await call("/v1/tasks", { key: good.key });
    const anonymous = await call("/health");
    const elsewhere = newIsolate(newAddress());
    const before = await elsewhere.call("/v1/tasks", { key: bad.key, body: "{" });
    const after = await elsewhere.call("/v1/tasks", { key: bad.key });

    expect(statuses).toEqual(Array<number>(50).fill(400));
    expect([blocked.status, blocked.code]).toEqual([429, "temporarily_blocked"]);
    expect([other.status, anonymous.status]).toEqual([200, 200]);
    expect([before.status, after.code]).toEqual([400, "temporarily_blocked"]);
  });

  it("never blocks the bootstrap key, or nobody could lift a block", async () => {
    const { call } = newIsolate(newAddress());

    await repeat(call, 60, "/v1/tasks", { ...ADMIN, body: "{" });

    expect((await call("/v1/blocks", ADMIN)).status).toBe(200);
  });
});

describe("blocks", () => {
  async function blockedAddress() {
    const address = newAddress();
    const isolate = newIsolate(address);
    await repeat(isolate.call, 20, "/v1/tasks", { key: `bk_${"b".repeat(43)}` });
    return { address, ...isolate };
  }

  it("are listed with whom, for what and until when, and can be lifted everywhere", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const { address, call } = await blockedAddress();
    const other = newIsolate(address);
    await other.call("/v1/tasks", { key: `bk_${"c".repeat(43)}` });
    expect((await other.call("/health")).status).toBe(429);
    const block_id = `address~${address}`;

    const listed = await newIsolate(newAddress()).call("/v1/blocks?limit=200", ADMIN);
    const lifted = await call(`/v1/blocks/${block_id}`, { ...ADMIN, method: "DELETE" });
    const again = await call(`/v1/blocks/${block_id}`, { ...ADMIN, method: "DELETE" });

    expect(listed.body["items"]).toContainEqual({
      block_id,
      kind: "address",
      subject: address,
      tenant: null,
      offence: "wrong_key",
      blocked_at: new Date(clock.now).toISOString(),
      until: new Date(clock.now + MINUTE).toISOString(),
      times: 1,
    });
    expect([lifted.status, again.status, again.code]).toEqual([204, 404, "block_not_found"]);
    expect((await call("/health")).status).toBe(200);
    // The other isolate asks every five seconds while it refuses.
    clock.pass(5_000);
    await other.call("/health");
    expect((await other.call("/health")).status).toBe(200);
    const lines = log.mock.calls.map(([line]) => String(line));
    expect(lines.some((line) => line.includes('"block_lifted"'))).toBe(true);
  });

  it("are a tenant's own: its admins see and lift those of its keys, and no address", async () => {
    const tenant = `t-${crypto.randomUUID().slice(0, 8)}`;
    const bad = await newKey(tenant, ["orchestrate"]);
    const admin = await newKey(tenant, ["admin"]);
    const foreign = await newKey(`${tenant}-2`, ["admin"]);
    const { call } = newIsolate(newAddress());
    const { address } = await blockedAddress();
    await repeat(call, 50, "/v1/tasks", { key: bad.key, body: "{" });
    const block_id = `key~${tenant}~${bad.key_id}`;
    const lift = (key: string, id: string) => call(`/v1/blocks/${id}`, { key, method: "DELETE" });

    const own = await call("/v1/blocks", { key: admin.key });
    const others = await call("/v1/blocks", { key: foreign.key });
    const refused = [
      await lift(foreign.key, block_id),
      await lift(admin.key, `address~${address}`),
    ];
    const lifted = await lift(admin.key, block_id);

    expect(own.body["items"]).toMatchObject([
      { block_id, kind: "key", subject: bad.key_id, tenant, offence: "malformed", times: 1 },
    ]);
    expect(others.body["items"]).toEqual([]);
    expect(refused.map(({ status }) => status)).toEqual([404, 404]);
    expect(lifted.status).toBe(204);
    expect((await call("/v1/tasks", { key: bad.key })).status).toBe(200);
  });

  it("come in pages", async () => {
    for (let turn = 0; turn < 3; turn += 1) await blockedAddress();
    const { call } = newIsolate(newAddress());
    const all = await call("/v1/blocks?limit=200", ADMIN);

    const found: unknown[] = [];
    let next: unknown = "";
    while (typeof next === "string") {
      const query = next === "" ? "" : `&cursor=${encodeURIComponent(next)}`;
      const { body } = await call(`/v1/blocks?limit=2${query}`, ADMIN);
      found.push(...(body["items"] as unknown[]));
      next = body["next_cursor"];
    }

    expect(found.length).toBeGreaterThanOrEqual(3);
    expect(found).toEqual(all.body["items"]);
  });
});
