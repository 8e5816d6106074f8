import { ShardedEndpoint, type EndpointOffice } from "./delivery/endpoint-door.ts";
import { endpointName, shardsOf } from "./delivery/shards.ts";

/** An endpoint as a whole, of however many objects. */
export function endpointDoor(env: Env, tenant: string, webhook_id: string): EndpointOffice {
  const shards = shardsOf(webhook_id);
  const stub = (shard: number): EndpointOffice =>
    env.ENDPOINT.getByName(endpointName(tenant, webhook_id, shard));
  return shards === 1
    ? stub(0)
    : new ShardedEndpoint(Array.from({ length: shards }, (_, shard) => stub(shard)));
}
