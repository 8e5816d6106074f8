import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { EndpointStore } from "../../src/delivery/endpoint/endpoint-store.ts";
import { SweepStore } from "../../src/delivery/registry/sweep-store.ts";
import { randomId } from "../../src/lib/ports.ts";
import { sweepEndpoints } from "../../src/services-webhooks.ts";
import { endpointConfig } from "../endpoint-config.ts";
import { item, newEndpoint, START, type TestEndpoint } from "./endpoints.ts";

const DAY_MS = 86_400_000;
const sweeps = new SweepStore(env.DB);

/** `task:seq` of every delivery that is kept. */
async function kept(endpoint: TestEndpoint): Promise<string[]> {
  const page = await endpoint.stub.deliveries({ limit: 200 });
  return page.ok ? page.value.items.map(({ task_id, seq }) => `${task_id}:${seq}`) : [];
}

const nameOf = ({ config }: TestEndpoint) => `default/${config.webhook_id}`;

describe("an object that nobody has configured", () => {
  it("lets no alarm come back for ever", async () => {
    const stub = env.ENDPOINT.getByName(`default/wh_${randomId()}`);
    await runInDurableObject(stub, (_instance, { storage }) =>
      storage.setAlarm(Date.now() + 60_000),
    );

    await runDurableObjectAlarm(stub);

    const alarm = await runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm());
    expect(alarm).toBeNull();
  });
});

describe("what is too old", () => {
  it("is forgotten by the first alarm of a day, by its outcome", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [] } });
    await endpoint.receiver.script([{ status: 200 }, { status: 500 }, { status: 200 }]);
    await endpoint.enqueue(item("delivered", 1));
    await endpoint.send();
    await endpoint.enqueue(item("exhausted", 1));
    await endpoint.send();

    const keptAfter: string[][] = [];
    for (const days of [7, 8, 30, 31]) {
      await endpoint.at(days * DAY_MS);
      await endpoint.enqueue(item(`day${days}`, 1));
      await endpoint.send();
      keptAfter.push((await kept(endpoint)).filter((place) => !place.startsWith("day")));
    }

    expect(keptAfter).toEqual([
      ["delivered:1", "exhausted:1"],
      ["exhausted:1"],
      ["exhausted:1"],
      [],
    ]);
  });

  it("is never what an active endpoint still tries", async () => {
    const endpoint = await newEndpoint({ retry_policy: { schedule: [604_800] } });
    await endpoint.receiver.script([{ status: 500 }]);
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();

    await endpoint.at(40 * DAY_MS);
    await endpoint.stub.sweep();

    expect(await kept(endpoint)).toEqual(["t:1"]);
  });

  it("of an endpoint that has become quiet is forgotten when the clock has it swept", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    const due = START + 8 * DAY_MS;
    expect(await sweeps.due(due, 500)).toContain(nameOf(endpoint));
    expect(await sweeps.due(due - 1, 500)).not.toContain(nameOf(endpoint));

    await sweeps.schedule(nameOf(endpoint), 1);
    await endpoint.at(8 * DAY_MS);
    await sweepEndpoints(env);

    expect(await kept(endpoint)).toEqual([]);
    expect(await sweeps.due(due, 500)).not.toContain(nameOf(endpoint));
  });

  it("leaves nothing of an endpoint that was deleted", async () => {
    const endpoint = await newEndpoint();
    await endpoint.enqueue(item("t", 1));
    await endpoint.send();
    await endpoint.change({ state: "deleted" });

    await endpoint.at(8 * DAY_MS);
    const isKept = await endpoint.stub.sweep();

    const tables = await runInDurableObject(endpoint.stub, (_instance, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'delivery'").toArray(),
    );
    expect([isKept, tables]).toEqual([false, []]);
    expect(await endpoint.stub.level()).toBe(0);
  });

  it("is swept once a day, whatever the endpoint has to do", async () => {
    const endpoint = await newEndpoint();
    for (const at of [0, 1_000, 2_000]) {
      await endpoint.at(at);
      await endpoint.enqueue(item(`t${at}`, 1));
      await endpoint.send();
    }

    const days = await runInDurableObject(endpoint.stub, (_instance, { storage }) =>
      new EndpointStore(storage.sql).facts(),
    );

    expect(days?.sweptDay).toBe(Math.floor(START / DAY_MS));
  });
});

describe("an object that an earlier version has made", () => {
  it("keeps what it has and goes on", async () => {
    const endpoint = await newEndpoint();
    const { rate_limit: _r, batching: _b, shard: _s, ...old } = endpoint.config;
    await runInDurableObject(endpoint.stub, async (_instance, { storage }) => {
      storage.sql.exec("DROP TABLE endpoint; DROP TABLE delivery; DROP TABLE attempt");
      storage.sql.exec(FIRST_SCHEMA);
      storage.sql.exec("INSERT INTO endpoint VALUES (1, ?, 0, 0, 0)", JSON.stringify(old));
      storage.sql.exec(
        `INSERT INTO delivery VALUES ('t', 1, ${START * 1_000}, 'task_progress', 1, 'open', 0, 0, NULL, NULL, NULL,
          '', NULL, NULL, '{"data":{"task_id":"t","seq":1}}')`,
      );
      await storage.setAlarm(START);
    });
    await endpoint.evict();

    await endpoint.enqueue(item("t", 2));
    await endpoint.stub.wake();
    await endpoint.send();

    expect(await endpoint.arrived()).toEqual(["t:1", "t:2"]);
  });

  it("has a configuration in which what is new has its default", async () => {
    const config = endpointConfig();

    const facts = await runInDurableObject(
      env.ENDPOINT.getByName("default/wh_old0000000000000000000"),
      (_instance, { storage }) => {
        const store = new EndpointStore(storage.sql);
        storage.sql.exec(FIRST_SCHEMA);
        const {
          breaker: _b,
          lane_policy: _l,
          compression: _c,
          ...old
        } = {
          ...config,
          secrets: [{ secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", expires_at: null }],
        };
        storage.sql.exec("INSERT INTO endpoint VALUES (1, ?, 0, 0, 0)", JSON.stringify(old));
        return store.facts();
      },
    );

    expect(facts).toMatchObject({ config: { lane_policy: "block" }, breaker: { level: 0 } });
  });
});

/** The tables as the first version made them. */
const FIRST_SCHEMA = `
CREATE TABLE endpoint (id INTEGER PRIMARY KEY, config TEXT NOT NULL, paused_until INTEGER NOT NULL,
  is_index_complete INTEGER NOT NULL, is_unreported INTEGER NOT NULL);
CREATE TABLE delivery (source TEXT NOT NULL, seq INTEGER NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL,
  priority INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, tries INTEGER NOT NULL, due INTEGER,
  replay_at INTEGER, prev_seq INTEGER, correlation_id TEXT NOT NULL, delivered_at INTEGER, last_attempt TEXT,
  body TEXT NOT NULL, PRIMARY KEY (source, seq)) WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (due) WHERE due IS NOT NULL;
CREATE INDEX delivery_replay ON delivery (replay_at) WHERE replay_at IS NOT NULL;
CREATE TABLE attempt (source TEXT NOT NULL, seq INTEGER NOT NULL, attempt INTEGER NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (source, seq, attempt)) WITHOUT ROWID;`;
