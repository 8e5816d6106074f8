import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { BUILTIN_AGENT } from "../../src/dispatch/builtin.ts";
import { CLOSED, pushedTo } from "../../src/dispatch/choice/push-breaker.ts";
import { PoolStore } from "../../src/dispatch/pool/pool-store.ts";
import { reservationOf } from "../../src/dispatch/pool/pool.ts";
import type { Entry, PoolItem } from "../../src/dispatch/pool/pool.ts";
import {
  agentOf as agent,
  entryOf as ready,
  itemOf as item,
  memberOf,
  NOW,
} from "../unit/pool-fixture.ts";

const held = (of: PoolItem, agent_id: string, now = NOW): Entry => ({
  ...ready(of),
  reservation: reservationOf(of, agent_id, "{}", now),
});
const ids = (entries: readonly Entry[]) => entries.map((entry) => entry.item.task_id);

/** The tasks that nobody has, in order, as an executor sees them that can have them all. */
const waitingIn = (store: PoolStore) => ids([...store.line.fitting(agent("anybody"))]);

/** Runs with a store on real storage; `open` opens another one on the same rows, as waking does. */
async function withStore(
  run: (store: PoolStore, open: () => PoolStore, sql: SqlStorage, dropped: string[]) => void,
): Promise<void> {
  const pool = env.POOL.getByName(`acme/${crypto.randomUUID()}`);
  await runInDurableObject(pool, (_instance, { storage: { sql } }) => {
    const dropped: string[] = [];
    const open = () => new PoolStore(sql, (id) => dropped.push(id));
    run(open(), open, sql, dropped);
  });
}

describe("the rows of a pool", () => {
  it("are the same after waking: order, slots, executors", () =>
    withStore((store, open) => {
      store.agents.put(agent("ann"), NOW);
      for (const [index, task_id] of ["c", "a", "b"].entries()) {
        store.put(ready(item(task_id, { ready_at: NOW + index })));
      }
      store.put(ready(item("urgent", { priority: "critical" })));
      store.put(held(item("a"), "ann"));

      const woken = open();

      expect(waitingIn(woken)).toEqual(waitingIn(store));
      expect(waitingIn(woken)).toEqual(["urgent", "c", "b"]);
      expect(woken.entry("a")).toEqual(held(item("a"), "ann"));
      expect([woken.slotsInUse("ann"), woken.slotsInUse("bob")]).toEqual([1, 0]);
      woken.agents.isWaiting = (agent_id) => agent_id === "ann";
      expect(woken.agents.members()).toEqual([
        memberOf(agent("ann"), { slots_in_use: 1, isWaiting: true }),
      ]);
    }));

  it("keep the order when a task changes its place or leaves", () =>
    withStore((store) => {
      for (let number = 0; number < 50; number += 1) {
        store.put(ready(item(`t${number}`, { ready_at: NOW + ((number * 37) % 50) })));
      }

      store.put(ready(item("t0", { priority: "high" })));
      store.remove(store.entry("t1") ?? ready(item("t1")));

      const places = waitingIn(store).map((task_id) =>
        store.line.position(store.entry(task_id)?.item ?? item(task_id)),
      );
      expect(places).toEqual(Array.from({ length: 49 }, (_, index) => index + 1));
      expect(waitingIn(store)[0]).toBe("t0");
      expect(store.line.position(item("t1"))).toBeNull();
    }));

  it("free what has expired without a write, also after waking", () =>
    withStore((store, open, sql) => {
      store.put(held(item("a"), "ann"));
      store.put(held(item("b"), "ann", NOW + 1));
      const rows = () => sql.exec("SELECT * FROM entry").toArray();
      const before = rows();

      const early = store.expire(NOW + 59_999);
      const due = store.expire(NOW + 60_000);

      expect([ids(early), ids(due), waitingIn(store)]).toEqual([[], ["a"], ["a"]]);
      expect([store.slotsInUse("ann"), store.firstExpiry("ann")]).toEqual([1, NOW + 60_001]);
      expect(rows()).toEqual(before);
      expect(ids(open().expire(NOW + 70_000)).toSorted()).toEqual(["a", "b"]);
    }));

  it("forget an executor but not its slots", () =>
    withStore((store, open) => {
      store.agents.put(agent("ann"), NOW);
      store.put(held(item("a"), "ann"));

      store.agents.remove("ann");

      expect([store.agents.get("ann"), store.agents.touch("ann", NOW)]).toEqual([null, false]);
      expect([store.slotsInUse("ann"), open().slotsInUse("ann")]).toEqual([1, 1]);
      expect(open().agents.get("ann")).toBeNull();
    }));

  it("hold no row for the built-in executor", () =>
    withStore((store, open) => {
      store.agents.addBuiltin(BUILTIN_AGENT);

      expect(store.agents.touch("sam", NOW)).toBe(true);
      expect(store.agents.get("sam")).toMatchObject({ agent: BUILTIN_AGENT });
      expect(open().agents.get("sam")).toBeNull();
    }));

  it("keep each change of a push executor's breaker, however soon it comes", () =>
    withStore((store, open) => {
      store.agents.put(agent("ann", { isPush: true }), NOW);

      for (const seconds of [1, 2, 3]) {
        const at = NOW + seconds * 1_000;
        const ann = store.agents.get("ann");
        const breaker = pushedTo(ann?.life.breaker ?? CLOSED, "failed", at);
        if (ann !== null) store.agents.learn(ann, { breaker }, at);
      }

      expect(open().agents.get("ann")?.life.breaker).toMatchObject({
        failures: 3,
        open_until: NOW + 33_000,
      });
    }));

  it("keep an executor of whose life something can't be read, with a new one, and say so", () =>
    withStore((store, open, sql, dropped) => {
      store.agents.put(agent("ann"), NOW);
      sql.exec(`UPDATE agent SET body = json_set(body, '$.life.served', NULL), assigned = 7`);

      const woken = open();

      expect(woken.agents.member("ann")).toEqual(memberOf(agent("ann"), { assigned: 7 }));
      expect(dropped).toEqual(["ann"]);
    }));

  it("drop what another version of the code wrote, and say so", () =>
    withStore((store, open, sql, dropped) => {
      store.put(ready(item("a")));
      store.put(ready(item("b")));
      store.agents.put(agent("ann"), NOW);
      sql.exec("UPDATE entry SET body = '{}' WHERE task_id = 'a'");
      sql.exec("UPDATE agent SET body = '{}'");

      const woken = open();

      expect([waitingIn(woken), woken.agents.get("ann"), dropped]).toEqual([
        ["b"],
        null,
        ["ann", "a"],
      ]);
      expect(sql.exec("SELECT task_id FROM entry").toArray()).toEqual([{ task_id: "b" }]);
    }));
});
