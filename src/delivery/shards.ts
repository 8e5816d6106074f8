import { spread } from "../lib/spread.ts";

/**
 * Which of an endpoint's objects keeps the deliveries of a source, from 0. The same for ever: a source never moves.
 *
 * @param source the task's id, or the event's for news without a task
 */
export function shardOf(source: string, shards: number): number {
  return spread(source, shards);
}

/**
 * What the ids of endpoints begin with, by their number of objects. It never changes, so it may be part of the name:
 * whoever has the id needs no look-up to find the objects.
 */
const PREFIXES: readonly (readonly [prefix: string, shards: number])[] = [
  ["wh", 1],
  ["wi", 2],
  ["wj", 4],
  ["wk", 8],
  ["wl", 16],
];

/** The id of the endpoint that carries an alert channel: of one object; `id` is 22 letters and digits. */
export function channelEndpointId(id: string): string {
  return `ch_${id}`;
}

/** Whether an endpoint carries an alert channel, by its id. */
export function isOfChannel(webhook_id: string): boolean {
  return webhook_id.startsWith("ch_");
}

/** The id of an endpoint with so many objects; `id` is 22 letters and digits. */
export function webhookIdOf(id: string, shards: number): string {
  const [prefix = "wh"] = PREFIXES.find(([, count]) => count === shards) ?? [];
  return `${prefix}_${id}`;
}

/** How many objects an endpoint has, by its id: 1 for callbacks and for everything that is no id. */
export function shardsOf(webhook_id: string): number {
  const [, shards = 1] = PREFIXES.find(([prefix]) => webhook_id.startsWith(`${prefix}_`)) ?? [];
  return shards;
}

/** The name of an endpoint's object; the first shard has the endpoint's own. */
export function endpointName(tenant: string, webhook_id: string, shard: number): string {
  const name = `${tenant}/${webhook_id}`;
  return shard === 0 ? name : `${name}#${shard}`;
}
