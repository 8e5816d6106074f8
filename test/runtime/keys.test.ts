import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { KeyView, Principal } from "../../src/protocol/access.ts";
import { at, T0 } from "../task-news.ts";
import { ADMIN_KEY, bootstrap, created, newKeys, requestOf } from "./key-world.ts";

describe("the API keys", () => {
  it("know the bootstrap key, without asking D1, and nothing that looks like it", async () => {
    const { keys, recording } = newKeys();

    expect(await keys.principalOf(ADMIN_KEY)).toEqual(bootstrap);
    expect(await keys.principalOf(`${ADMIN_KEY} `)).toBeNull();
    expect(await keys.principalOf("")).toBeNull();
    expect(recording.trips()).toBe(0);
  });

  it("have no bootstrap key where none is configured", async () => {
    const { keys } = newKeys(null);

    expect(await keys.principalOf(ADMIN_KEY)).toBeNull();
  });

  it("make a key that is shown once, known at once, and stored as a hash", async () => {
    const { desk, keys } = newKeys();

    const made = await created(desk, { tenant: "acme", scopes: ["execute", "observe"] });

    expect(made.key).toMatch(/^bk_[A-Za-z0-9_-]{43}$/);
    expect(made).toMatchObject({ tenant: "acme", created_at: at(0), expires_at: null });
    expect(made.key_id).toMatch(/^key_[A-Za-z0-9]{22}$/);
    expect(await keys.principalOf(made.key)).toEqual({
      key_id: made.key_id,
      tenant: "acme",
      scopes: ["execute", "observe"],
      isBootstrap: false,
    });
    const stored = await env.DB.prepare("SELECT * FROM api_key").all();
    const listed = await desk.list(bootstrap, { tenant: "acme", limit: 5 });
    expect(JSON.stringify([stored.results, listed])).not.toContain(made.key);
  });

  it("refuse what the maker may not grant, and store nothing", async () => {
    const { desk, recording } = newKeys();
    const maker: Principal = {
      ...bootstrap,
      key_id: "key_x",
      scopes: ["observe"],
      isBootstrap: false,
    };

    const answers = [
      await desk.create(maker, requestOf({ scopes: ["admin"] })),
      await desk.create(maker, requestOf({ tenant: "acme" })),
    ];

    expect(answers).toMatchObject([
      { ok: false, refusal: { code: "forbidden" } },
      { ok: false, refusal: { code: "forbidden" } },
    ]);
    expect(recording.trips()).toBe(0);
  });

  it("end at their expiry to the millisecond, also while they are remembered", async () => {
    const { desk, keys, clock } = newKeys();
    const { key } = await created(desk, { expires_at: at(2) });
    const known: boolean[] = [];
    for (const now of [T0 + 1_999, T0 + 2_000]) {
      clock.now = now;
      known.push((await keys.principalOf(key)) !== null);
    }

    expect(known).toEqual([true, false]);
  });

  it("are removed at once here, and within five seconds elsewhere", async () => {
    const [here, elsewhere] = [newKeys(), newKeys()];
    const { key, key_id, tenant } = await created(here.desk);
    for (const { keys } of [here, elsewhere]) await keys.principalOf(key);

    expect(await here.desk.remove(bootstrap, key_id, { tenant })).toEqual({
      ok: true,
      value: null,
    });

    expect(await here.keys.principalOf(key)).toBeNull();
    expect(await elsewhere.keys.principalOf(key)).not.toBeNull();
    elsewhere.clock.now = T0 + 5_000;
    expect(await elsewhere.keys.principalOf(key)).toBeNull();
  });

  it("can't be removed by another tenant, nor twice", async () => {
    const { desk } = newKeys();
    const { key_id, tenant } = await created(desk);

    const answers = [
      await desk.remove(bootstrap, key_id, { tenant: "foreign" }),
      await desk.remove(bootstrap, key_id, { tenant }),
      await desk.remove(bootstrap, key_id, { tenant }),
    ];

    expect(answers.map((answer) => (answer.ok ? "removed" : answer.refusal.code))).toEqual([
      "key_not_found",
      "removed",
      "key_not_found",
    ]);
  });

  it("cost D1 one read in five seconds for a known key, for a guess, and none for nonsense", async () => {
    const { desk, keys, clock, recording } = newKeys();
    const { key } = await created(desk);
    const guess = `bk_${"g".repeat(43)}`;
    const before = recording.trips();

    for (let ask = 0; ask < 10; ask += 1) {
      await keys.principalOf(key);
      await keys.principalOf(guess);
      await keys.principalOf("nonsense");
    }
    const first = recording.trips() - before;
    clock.now += 5_000;
    await keys.principalOf(key);

    expect([first, recording.trips() - before]).toEqual([2, 3]);
  });

  it("stay good for ten minutes while D1 is down, unless they were known to be gone or are expired", async () => {
    const { desk, keys, clock } = newKeys();
    const { key } = await created(desk);
    const short = await created(desk, { expires_at: at(60) });
    const gone = await created(desk);
    for (const known of [key, short.key, gone.key]) await keys.principalOf(known);
    await desk.remove(bootstrap, gone.key_id, {});
    await keys.principalOf(gone.key);
    clock.isDown = true;
    clock.now += 600_000;

    expect(await keys.principalOf(key)).toMatchObject({ tenant: "default" });
    expect(await keys.principalOf(short.key)).toBeNull();
    await expect(keys.principalOf(gone.key)).rejects.toThrow("down");
    clock.now += 5_000;
    await expect(keys.principalOf(key)).rejects.toThrow("down");
  });

  it("are listed in pages, each tenant its own", async () => {
    const { desk } = newKeys();
    const made: KeyView[] = [];
    for (const name of ["one", "two", "three"]) {
      made.push(await created(desk, { name, tenant: "paged" }));
    }

    const page = async (cursor?: string) => {
      const listed = await desk.list(bootstrap, { tenant: "paged", cursor, limit: 2 });
      if (!listed.ok) throw new Error(listed.refusal.detail);
      return listed.value;
    };
    const first = await page();
    const second = await page(first.next_cursor ?? "");

    const seen = [...first.items, ...second.items].map(({ key_id }) => key_id);
    expect(seen).toEqual(made.map(({ key_id }) => key_id).sort());
    expect(second.next_cursor).toBeNull();
  });
});
