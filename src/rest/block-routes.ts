import * as z from "zod";

import { ok } from "../lib/result.ts";
import { blockSchema } from "../protocol/block.ts";
import { pageOf, pageQuerySchema } from "../protocol/queries.ts";
import { empty, json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

/** Tenant of the key that a block is of, by its id: `key~<tenant>~…`; an address has none. */
function tenantOf(block_id: string): string | undefined {
  return /^key~([A-Za-z0-9_-]{1,64})~/.exec(block_id)?.[1];
}

/** Who is blocked for a while, and making it shorter. */
export const blockRoutes: readonly Route[] = [
  route({
    id: "list_blocks",
    method: "GET",
    path: "/v1/blocks",
    tag: "Operations",
    summary: "Temporary blocks in force",
    description:
      "Those of the tenant's keys; the bootstrap key sees those of addresses too, which are of all tenants.",
    scopes: ["admin"],
    query: pageQuerySchema,
    answers: { 200: json(pageOf(blockSchema, "BlockPage"), "A page of blocks") },
    async handle(ports, { principal, query }) {
      return ok({ status: 200, body: await ports.blocks.list(principal, query) });
    },
  }),
  route({
    id: "lift_block",
    method: "DELETE",
    path: "/v1/blocks/:block_id",
    tag: "Operations",
    summary: "Lift a block, and forget the ones before it",
    description: "It ends within seconds everywhere.",
    scopes: ["admin"],
    params: z.strictObject({ block_id: pathIdSchema }),
    answers: { 204: empty("It is lifted") },
    refusals: ["block_not_found"],
    audit: {
      action: "block_lifted",
      kind: "block",
      subject: ({ params }) => params.block_id,
      tenant: ({ params }) => tenantOf(params.block_id),
    },
    async handle(ports, { principal, params }) {
      const lifted = await ports.blocks.lift(principal, params.block_id);
      return replyWith(lifted, () => ({ status: 204 }));
    },
  }),
];
