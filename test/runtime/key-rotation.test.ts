import { describe, expect, it } from "vitest";

import type { Principal } from "../../src/protocol/access.ts";
import { at, T0 } from "../task-news.ts";
import { bootstrap, created, newKeys, secretOf } from "./key-world.ts";

describe("the keys of an installation", () => {
  it("work with both secrets until the overlap of a rotation is over, to the millisecond", async () => {
    const { keys, desk, clock } = newKeys();
    const first = await created(desk);
    const rotated = await desk.rotate(bootstrap, first.key_id, { overlap_seconds: 60 });
    const second = secretOf(rotated);
    const live: boolean[][] = [];
    for (const now of [T0, T0 + 59_999, T0 + 60_000]) {
      clock.now = now;
      const known = [await keys.principalOf(first.key), await keys.principalOf(second)];
      live.push(known.map((one) => one !== null));
    }

    expect(rotated).toMatchObject({
      value: { key_id: first.key_id, rotated_at: at(0), retiring_until: at(60) },
    });
    expect(live).toEqual([
      [true, true],
      [true, true],
      [false, true],
    ]);
    const read = await desk.get(bootstrap, first.key_id, {});
    expect(read).toMatchObject({ value: { state: "active", retiring_until: null } });
    expect(JSON.stringify(read)).not.toMatch(/bk_|hash/);
  });

  it("lose the old secret at once without an overlap, and the oldest by a second rotation", async () => {
    const { keys, desk } = newKeys();
    const first = await created(desk);
    await keys.principalOf(first.key);
    const rotate = async (overlap_seconds: number) =>
      secretOf(await desk.rotate(bootstrap, first.key_id, { overlap_seconds }));
    const live = async (...secrets: string[]) =>
      Promise.all(secrets.map(async (secret) => (await keys.principalOf(secret)) !== null));

    const second = await rotate(0);
    const after = [await live(first.key, second)];
    const third = await rotate(60);
    const fourth = await rotate(60);
    after.push(await live(second, third, fourth));

    expect(after).toEqual([
      [false, true],
      [false, true, true],
    ]);
  });

  it("give two rotations at one time each a secret that counts", async () => {
    const { keys, desk } = newKeys();
    const { key_id } = await created(desk);

    const secrets = await Promise.all(
      [60, 60].map(async (overlap_seconds) =>
        secretOf(await desk.rotate(bootstrap, key_id, { overlap_seconds })),
      ),
    );

    const known = await Promise.all(secrets.map((secret) => keys.principalOf(secret)));
    expect(known).toMatchObject([{ key_id }, { key_id }]);
  });

  it("die with all their secrets when they are removed", async () => {
    const { keys, desk } = newKeys();
    const first = await created(desk);
    const second = secretOf(await desk.rotate(bootstrap, first.key_id, { overlap_seconds: 60 }));
    for (const secret of [first.key, second]) await keys.principalOf(secret);

    await desk.remove(bootstrap, first.key_id, {});

    expect(await keys.principalOf(first.key)).toBeNull();
    expect(await keys.principalOf(second)).toBeNull();
  });

  it("expire sooner or later as they are told, also when they have expired already", async () => {
    const { keys, desk, clock } = newKeys();
    const { key, key_id } = await created(desk, { expires_at: at(60) });
    await keys.principalOf(key);
    const change = (expires_at: string | null) =>
      desk.change(bootstrap, key_id, { change: { schema_version: "2.0", expires_at } });

    await change(at(10));
    clock.now = T0 + 10_000;
    const early = await keys.principalOf(key);
    const state = await desk.get(bootstrap, key_id, {});
    const rotated = await desk.rotate(bootstrap, key_id, { overlap_seconds: 0 });
    const past = await change(at(9));
    const later = await change(null);

    expect([early, (await keys.principalOf(key))?.key_id]).toEqual([null, key_id]);
    expect(state).toMatchObject({ value: { state: "expired", expires_at: at(10) } });
    expect(rotated).toMatchObject({ refusal: { code: "key_expired" } });
    expect(past).toMatchObject({
      refusal: { code: "validation_failed", errors: [{ pointer: "/expires_at" }] },
    });
    expect(later).toMatchObject({ value: { state: "active", expires_at: null } });
  });

  it("are governed within their tenant, by the bootstrap key in every one", async () => {
    const { desk } = newKeys();
    const made = await created(desk, { tenant: "ruled", scopes: ["admin"] });
    const own: Principal = { ...made, isBootstrap: false };
    const foreign: Principal = { ...own, tenant: "other" };
    const tenant = "ruled";
    const outcomes = async (by: Principal, of: { tenant?: string }) => {
      const answers = [
        await desk.get(by, made.key_id, of),
        await desk.change(by, made.key_id, { ...of, change: { schema_version: "2.0", name: "n" } }),
        await desk.rotate(by, made.key_id, { ...of, overlap_seconds: 60 }),
        await desk.list(by, { ...of, limit: 5 }),
      ];
      return answers.map((answer) => (answer.ok ? "ok" : answer.refusal.code));
    };

    expect(await outcomes(bootstrap, { tenant })).toEqual(["ok", "ok", "ok", "ok"]);
    expect(await outcomes(own, {})).toEqual(["ok", "ok", "ok", "ok"]);
    expect(await outcomes(own, { tenant })).toEqual(["ok", "ok", "ok", "ok"]);
    expect(await outcomes(foreign, { tenant })).toEqual(Array(4).fill("forbidden"));
    expect(await outcomes(foreign, {})).toEqual([...Array<string>(3).fill("key_not_found"), "ok"]);
  });

  it("do not include the bootstrap key, which is a variable and no row", async () => {
    const { desk } = newKeys();
    const id = "key_bootstrap";

    const answers = [
      await desk.rotate(bootstrap, id, { overlap_seconds: 0 }),
      await desk.remove(bootstrap, id, {}),
      await desk.change(bootstrap, id, { change: { schema_version: "2.0", name: "n" } }),
      await desk.remove({ ...bootstrap, isBootstrap: false, tenant: "acme" }, id, {}),
    ];

    expect(answers.map((answer) => (answer.ok ? "ok" : answer.refusal.code))).toEqual([
      "forbidden",
      "forbidden",
      "forbidden",
      "key_not_found",
    ]);
  });

  it("have their use noted once an hour, and nothing else is written for it", async () => {
    const { keys, desk, clock } = newKeys();
    const { key, key_id } = await created(desk);
    const by = await keys.principalOf(key);
    if (by === null) throw new Error("the key is not known");
    const lastUse = async () => {
      const read = await desk.get(bootstrap, key_id, {});
      return read.ok ? read.value.last_used_at : undefined;
    };

    const seen = [await lastUse()];
    await keys.noteUse(by);
    seen.push(await lastUse());
    clock.now += 3_599_000;
    const again = keys.noteUse(by);
    clock.now += 1_000;
    await keys.noteUse(by);
    seen.push(await lastUse());

    expect(seen).toEqual([null, at(0), at(3_600)]);
    expect(again).toBeNull();
    for (const other of [
      bootstrap,
      { ...by, agent_id: "ann" },
      { ...by, key_id: "jwt:joe" },
      { ...by, key_id: "public/t1" },
    ]) {
      expect(keys.noteUse(other)).toBeNull();
    }
  });
});
