import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

import type { EndpointConfig, EnqueueItem } from "../../src/delivery/endpoint-config.ts";
import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { randomId } from "../../src/lib/ports.ts";
import { endpointConfig } from "../endpoint-config.ts";
import type { ReceivedRequest } from "../received.ts";
import { bodyText, newReceiver, type Receiver } from "./receiver.ts";

/** Where a test endpoint's clock stands: so far ahead that no alarm fires unless the test runs it. */
export const START = Date.parse("2099-01-01T00:00:00.000Z");

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** A real endpoint object with a receiver of its own, and a clock that the test sets. */
export interface TestEndpoint {
  stub: DurableObjectStub<EndpointObject>;
  receiver: Receiver;
  config: EndpointConfig;
  /** Sets the clock to `START` plus this. */
  at: (ms: number) => Promise<void>;
  enqueue: (...items: EnqueueItem[]) => Promise<{ stored: number; known: boolean }>;
  /** A newer version of the configuration. */
  change: (changes: Partial<EndpointConfig>) => Promise<void>;
  /** Runs the alarm; false when none was set. */
  send: () => Promise<boolean>;
  /** From now on it sends at once, as in life; before this it is gone each time before it has sent, and its alarm sends. */
  sendAtOnce: () => void;
  /** `task_id:seq` of what has arrived, in order. */
  arrived: () => Promise<string[]>;
  /** Everything gone that is only in memory; the clock stays where it was. */
  evict: () => Promise<void>;
  /** The same in the middle of whatever it does, which an eviction waits for. */
  lose: () => Promise<void>;
  /** A delivery by task and seq, with its attempts. */
  delivery: (task_id: string, seq: number) => Promise<Delivery>;
}

type Answer = Awaited<ReturnType<DurableObjectStub<EndpointObject>["delivery"]>>;
type Delivery = Extract<Answer, { ok: true }>["value"];

/** Configures an endpoint that is active, with retries after 10 and 100 s. */
export async function newEndpoint(changes: Partial<EndpointConfig> = {}): Promise<TestEndpoint> {
  const receiver = newReceiver();
  const webhook_id = `wh_${randomId()}`;
  let config = endpointConfig({
    webhook_id,
    url: receiver.url,
    secrets: [{ secret: SECRET, expires_at: null }],
    timeout: 5,
    retry_policy: { schedule: [10, 100] },
    ...changes,
  });
  let now = START;
  let isAtOnce = false;
  const open = () => env.ENDPOINT.getByName(`default/${webhook_id}`);
  let stub = open();
  const setClock = () =>
    runInDurableObject(stub, (instance: EndpointObject) => {
      instance.now = () => now;
      instance.random = () => 0;
      // The clock waits for answers: what is in flight comes back in real time.
      instance.wait = async (ms, isBusy) => {
        if (isBusy) await scheduler.wait(Math.min(ms, 5));
        else now += ms;
      };
      instance.begin = (work) => {
        if (isAtOnce) void work();
      };
    });
  await setClock();
  await stub.configure(JSON.stringify(config));
  return {
    get stub() {
      return stub;
    },
    receiver,
    config,
    at: async (ms) => {
      now = START + ms;
    },
    enqueue: (...items) => stub.enqueue({ config_version: config.version, callback: null, items }),
    change: async (more) => {
      config = { ...config, ...more, version: config.version + 1 };
      await stub.configure(JSON.stringify(config));
    },
    send: () => runDurableObjectAlarm(stub),
    sendAtOnce: () => {
      isAtOnce = true;
    },
    arrived: async () => (await receiver.log()).map((request) => placeOf(request)),
    evict: async () => {
      await evictDurableObject(stub);
      await setClock();
    },
    lose: async () => {
      const lost = runInDurableObject(stub, (_instance, state) => state.abort("lost"));
      await lost.catch(() => {});
      stub = open();
      await setClock();
    },
    delivery: async (task_id, seq) => {
      const name = webhook_id.replace("_", "");
      const answer = await stub.delivery(`dlv_${name}_${seq}_${task_id}`);
      if (!answer.ok) throw new Error(answer.refusal.detail);
      return answer.value;
    },
  };
}

/** Lets time pass in steps, running each alarm, until nothing is to be sent any more. */
export async function letPass(endpoint: TestEndpoint, ms: number, step: number): Promise<void> {
  for (let passed = 0; passed <= ms; passed += step) {
    await endpoint.at(passed);
    await endpoint.stub.wake();
    await endpoint.send();
  }
}

/** `task_id:seq` of a received notification. */
export function placeOf(request: ReceivedRequest): string {
  const { data } = JSON.parse(bodyText(request)) as { data: { task_id: string; seq: number } };
  return `${data.task_id}:${data.seq}`;
}

/** A notification of a task, as fan-out hands it over. */
export function item(
  task_id: string,
  seq: number,
  changes: Partial<EnqueueItem> = {},
): EnqueueItem {
  return {
    task_id,
    seq,
    event_id: `${task_id}-${seq}`,
    type: "task_progress",
    priority: "normal",
    at: "2026-11-22T10:00:00.000Z",
    correlation_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    notification: JSON.stringify({ task_id, seq }),
    ...changes,
  };
}
