import { isDeepStrictEqual } from "node:util";

import { notificationTypeSchema } from "../../../src/protocol/enums.ts";
import type { Receipt } from "./receiver.ts";
import { placesOf } from "./seen.ts";
import type { TenantSeen, Told } from "./seen.ts";
import { ENDPOINT_NAMES } from "./world.ts";
import type { Aftermath } from "./world.ts";

/* What is promised (protocol.md §6), whatever happened. Each law gives the sentences in which it was broken. */

/** Every watchdog is a minute behind what it watches over; twice that, and half a minute for a busy machine. */
const RECOVERY_LIMIT_MS = 150_000;

type Law = (seen: Aftermath) => string[];

const tasksOf = ({ tenants }: Aftermath): (Told & { tenant: string })[] =>
  tenants.flatMap(({ tenant, tasks }) => tasks.map((told) => ({ ...told, tenant })));

/** What an event of a task means for who may write to it. */
const LETS_GO: ReadonlySet<string> = new Set([
  "lease_expired",
  "task_declined",
  "retry_scheduled",
  "task_escalated",
  "verdict",
]);
/** What an executor may say without holding the task: its last word, and that it heard a command. */
const LAST_WORDS: ReadonlySet<string> = new Set(["verdict", "command_acknowledged"]);

/** What the order of a log breaks, and who wrote to it without holding the task. */
function faultsOfOrderIn({ view, log }: Told): string[] {
  const faults: string[] = [];
  let holder: string | null = null;
  for (const [index, { seq, type, actor, data }] of log.entries()) {
    const where = `${view.task_id} seq ${seq} ${type}`;
    if (seq !== index + 1) faults.push(`${where} is at place ${index + 1}`);
    if (type === "task_assigned") {
      if (holder !== null) faults.push(`${where} while ${holder} holds it`);
      holder = String(data["agent_id"]);
    } else if (actor.kind === "executor" && actor.id !== holder && !LAST_WORDS.has(type)) {
      faults.push(`${where} by ${actor.id}, and ${holder ?? "nobody"} holds it`);
    }
    if (LETS_GO.has(type)) holder = null;
  }
  return faults;
}

function faultsOfLog(told: Told): string[] {
  const { view, log } = told;
  const counts = ["verdict", "agent_end_task"].flatMap((type) => {
    const count = log.filter((event) => event.type === type).length;
    return count === 1 ? [] : [`${view.task_id} has ${count} events ${type}`];
  });
  const last = log.at(-1);
  const isWhole = last?.type === "agent_end_task" && last.seq === view.seq;
  const ends = isWhole ? [] : [`${view.task_id} does not stop at its end`];
  return [...faultsOfOrderIn(told), ...counts, ...ends];
}

/** First arrivals of one task at one endpoint. */
function firsts(receipts: readonly Receipt[]): Receipt[] {
  const known = new Set<number>();
  return receipts.filter(({ seq }) => !known.has(seq) && known.add(seq));
}

function faultsOfOrder(receipts: readonly Receipt[]): string[] {
  const byPlace = Map.groupBy(receipts, ({ endpoint, task_id }) => `${endpoint} ${task_id}`);
  return [...byPlace].flatMap(([place, own]) => {
    const seqs = firsts(own).map(({ seq }) => seq);
    const isOrdered = seqs.every((seq, index) => index === 0 || (seqs[index - 1] ?? 0) < seq);
    const chain = firsts(own).map(({ prev_seq }) => prev_seq);
    const isChained = isDeepStrictEqual(chain, [null, ...seqs.slice(0, -1)]);
    return isOrdered && isChained
      ? []
      : [`${place}: ${seqs.join(" ")} after ${chain.map(String).join(" ")}`];
  });
}

/** What is different although it should be the same, or the same although it should be different. */
function faultsOfIds(receipts: readonly Receipt[]): string[] {
  const bodies = new Map<string, string>();
  const ids = new Map<string, string>();
  const faults = new Set<string>();
  for (const { endpoint, message_id, body, task_id, seq } of receipts) {
    const request = `${endpoint} ${message_id}`;
    const place = `${endpoint} ${task_id} ${seq}`;
    if ((bodies.get(request) ?? body) !== body) faults.add(`${request} came with other bytes`);
    if ((ids.get(place) ?? message_id) !== message_id) faults.add(`${place} came under two ids`);
    bodies.set(request, body);
    ids.set(place, message_id);
  }
  return [...faults];
}

const missing = (expected: readonly string[], found: ReadonlySet<string>): string[] =>
  expected.filter((one) => !found.has(one));

function faultsOfDelivery({ receipts }: Aftermath, seen: TenantSeen): string[] {
  const arrived = new Set(
    receipts.map(({ endpoint, task_id, seq }) => `${endpoint} ${task_id} ${seq}`),
  );
  return ENDPOINT_NAMES.flatMap((endpoint) => {
    const places = placesOf(endpoint, seen);
    const open = places.filter((place) => seen.deliveries.get(place) !== "delivered");
    return [
      ...missing(places, arrived).map((place) => `${place} never came`),
      ...open.map((place) => `${place} is ${seen.deliveries.get(place) ?? "unknown"}`),
    ];
  });
}

function faultsOfEffects({ receipts }: Aftermath, seen: TenantSeen): string[] {
  const effects = receipts.filter(({ isEffective }) => isEffective);
  const counts = Map.groupBy(effects, (one) => `${one.endpoint} ${one.task_id} ${one.seq}`);
  return ENDPOINT_NAMES.flatMap((endpoint) => placesOf(endpoint, seen)).flatMap((place) => {
    const count = counts.get(place)?.length ?? 0;
    return count === 1 ? [] : [`${place} took effect ${count} times`];
  });
}

/** The laws, by what they promise. */
export const LAWS = {
  "every accepted thing is in the log, once": (seen) => {
    const kept = new Set(
      tasksOf(seen).flatMap(({ tenant, view, log }) =>
        log.map(({ seq, type }) => `${tenant} ${view.task_id} ${seq} ${type}`),
      ),
    );
    const said = seen.accepted.map((one) => `${one.tenant} ${one.task_id} ${one.seq} ${one.type}`);
    const twice = said.filter((one, index) => said.indexOf(one) !== index);
    return [
      ...missing(said, kept).map((one) => `${one} was accepted and is lost`),
      ...twice.map((one) => `${one} was the answer to two notifications`),
    ];
  },
  "every accepted task is there, and history knows no other": ({ tenants }) =>
    tenants.flatMap(({ accepted_task_ids, listed_ids }) => [
      ...missing(accepted_task_ids, new Set(listed_ids)).map((id) => `${id} is not listed`),
      ...missing(listed_ids, new Set(accepted_task_ids)).map((id) => `${id} was never accepted`),
      ...listed_ids.filter((id, index) => listed_ids.indexOf(id) !== index),
    ]),
  "every task comes to one controlled end": (seen) =>
    tasksOf(seen).flatMap(({ view }) =>
      view.phase === "ended" && view.end_reason !== null
        ? []
        : [`${view.task_id} is ${view.status}, ${view.phase}`],
    ),
  "every log is without gaps, with one holder at a time and one verdict": (seen) =>
    tasksOf(seen).flatMap(faultsOfLog),
  "every notification is delivered to every endpoint": (seen) =>
    seen.tenants.flatMap((tenant) => faultsOfDelivery(seen, tenant)),
  "every endpoint gets each task's notifications in order": ({ receipts }) =>
    faultsOfOrder(receipts),
  "one id means the same bytes, and one notification has one id": ({ receipts }) =>
    faultsOfIds(receipts),
  "every request is signed": ({ receipts }) =>
    receipts
      .filter(({ isSigned }) => !isSigned)
      .map(({ endpoint, message_id }) => `${endpoint} ${message_id} is not signed`),
  "every notification takes effect once at an idempotent receiver": (seen) =>
    seen.tenants.flatMap((tenant) => faultsOfEffects(seen, tenant)),
  "every slot is free again": ({ tenants }) =>
    tenants.flatMap(({ tenant, slots_in_use }) =>
      Object.entries(slots_in_use)
        .filter(([, slots]) => slots !== 0)
        .map(([agent, slots]) => `${tenant} ${agent} has ${slots} slots in use`),
    ),
  "history says what the tasks themselves say": (seen) =>
    tasksOf(seen)
      .filter(({ view, listed }) => !isDeepStrictEqual(view, listed))
      .map(({ view, listed }) => `${view.task_id} seq ${view.seq}, history ${listed?.seq}`),
  "nothing of one tenant is shown to another": ({ tenants, receipts }) => [
    ...tenants.flatMap(({ tenant, foreign, listed_ids }) => [
      ...foreign.filter((code) => code !== "task_not_found").map((code) => `${tenant} ${code}`),
      ...listed_ids.filter((id) => !id.startsWith(`${tenant}-`)),
    ]),
    ...receipts
      .filter(({ endpoint, task_id }) => !task_id.startsWith(`${endpoint.split("/")[0]}-`))
      .map(({ endpoint, task_id }) => `${endpoint} was told of ${task_id}`),
  ],
  "nobody who keeps to the protocol is refused for breaking it": ({
    unexpected,
    receiverFaults,
  }) => [...unexpected, ...receiverFaults.map(String)],
  "all is well again in time": ({ recovery_ms }) =>
    recovery_ms !== null && recovery_ms <= RECOVERY_LIMIT_MS
      ? []
      : [`it took ${recovery_ms ?? "more than can be waited for"} ms`],
} as const satisfies Record<string, Law>;

/** What was accepted and is not there: tasks, and things said of them. */
export function lossOf(seen: Aftermath): number {
  return [
    ...LAWS["every accepted thing is in the log, once"](seen),
    ...seen.tenants.flatMap(({ accepted_task_ids, tasks }) =>
      missing(accepted_task_ids, new Set(tasks.map(({ view }) => view.task_id))),
    ),
    ...seen.tenants.flatMap((tenant) => faultsOfDelivery(seen, tenant)),
  ].length;
}

/** Every sentence in which a law was broken, with the law before it. */
export function brokenLaws(seen: Aftermath): string[] {
  return Object.entries(LAWS).flatMap(([name, law]) =>
    law(seen).map((sentence) => `${name}: ${sentence}`),
  );
}

/** Notifications that the logs of a run hold. */
export function notificationCount(seen: Aftermath): number {
  return tasksOf(seen).reduce(
    (sum, { log }) =>
      sum + log.filter(({ type }) => notificationTypeSchema.safeParse(type).success).length,
    0,
  );
}
