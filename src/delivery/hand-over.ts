import { inTurn } from "../lib/in-turn.ts";
import type { Log } from "../lib/log.ts";
import type {
  EndpointConfig,
  EndpointInbox,
  EnqueueBatch,
  EnqueueItem,
} from "./endpoint-config.ts";

/** What the hand-over is given. */
export interface HandOverPorts {
  registry: {
    /** The configuration of a webhook; null when it was deleted. */
    configOf(tenant: string, webhook_id: string): Promise<EndpointConfig | null>;
  };
  endpoint: (tenant: string, webhook_id: string) => EndpointInbox;
  log: Log;
}

/** What goes to each endpoint, by its id. */
export type Batches = Map<string, EnqueueBatch>;

/**
 * Endpoints that are called at the same time. News for thousands must not open thousands of calls at once, and
 * each answer comes as soon as the endpoint has stored its items.
 */
export const MOST_CALLS = 50;

/** Adds an item to an endpoint's batch, once; `version` is that of its registration. */
export function addItem(
  batches: Batches,
  { webhook_id, version }: { webhook_id: string; version: number },
  item: EnqueueItem,
): void {
  const batch = batches.get(webhook_id) ?? { config_version: version, callback: null, items: [] };
  batches.set(webhook_id, batch);
  // A subscriber may be a stakeholder too.
  if (!batch.items.includes(item)) batch.items.push(item);
}

/** Endpoints that could not be reached, with what each of them threw. */
class NotReached extends AggregateError {
  readonly webhook_ids: readonly string[];

  constructor(failures: ReadonlyMap<string, unknown>) {
    const [first] = failures.values();
    super([...failures.values()], `${failures.size} endpoints not reached: ${String(first)}`);
    this.webhook_ids = [...failures.keys()];
  }
}

/**
 * Which endpoints something that hands over could not reach.
 *
 * @throws what else it throws
 */
export async function missedBy(handing: Promise<void>): Promise<readonly string[]> {
  try {
    await handing;
    return [];
  } catch (error) {
    if (error instanceof NotReached) return error.webhook_ids;
    throw error;
  }
}

/**
 * Hands every endpoint its batch. Safe to repeat: an endpoint stores each item once.
 *
 * @throws AggregateError when an endpoint could not be reached, after all others have got theirs: repeat all of it
 */
export async function handOver(
  ports: HandOverPorts,
  tenant: string,
  batches: Batches,
): Promise<void> {
  const failures = new Map<string, unknown>();
  await inTurn([...batches], MOST_CALLS, ([webhook_id, batch]) =>
    hand(ports, tenant, webhook_id, batch).catch((error: unknown) =>
      failures.set(webhook_id, error),
    ),
  );
  if (failures.size > 0) throw new NotReached(failures);
}

async function hand(
  ports: HandOverPorts,
  tenant: string,
  webhook_id: string,
  batch: EnqueueBatch,
): Promise<void> {
  const endpoint = ports.endpoint(tenant, webhook_id);
  const receipt = await endpoint.enqueue(batch);
  if (receipt.known) return;
  // The registry is ahead of the object: it was changed a moment ago, or the change did not get through.
  const config = await ports.registry.configOf(tenant, webhook_id);
  if (config === null) {
    ports.log("info", "webhook_deleted_before_delivery", { webhook_id });
    return;
  }
  await endpoint.configure(JSON.stringify(config));
  const second = await endpoint.enqueue({ ...batch, config_version: config.version });
  if (!second.known) throw new Error(`Endpoint ${webhook_id} does not take its configuration`);
}
