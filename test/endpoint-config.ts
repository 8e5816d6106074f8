import type { EndpointConfig } from "../src/delivery/endpoint-config.ts";

/** The configuration of a plain endpoint of tenant `default`, and what differs. */
export function endpointConfig(changes: Partial<EndpointConfig> = {}): EndpointConfig {
  return {
    tenant: "default",
    webhook_id: "wh_0123456789ABCDEFGHIJkl",
    url: "https://hooks.example.com/",
    secrets: [],
    headers: {},
    timeout: 15,
    retry_policy: null,
    final_statuses: [],
    ordering: "task",
    lane_policy: "block",
    rate_limit: null,
    batching: null,
    breaker: null,
    compression: "none",
    format: { api: "standard" },
    shard: 0,
    shards: 1,
    state: "active",
    version: 1,
    ...changes,
  };
}
