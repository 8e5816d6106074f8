import * as z from "zod";

import { tenantIdSchema } from "./access.ts";
import { instantSchema } from "./primitives.ts";

/** What is held against a caller, each the beginning of what an attack or a broken client does. */
export const offenceSchema = z
  .enum([
    "wrong_key",
    "forged_signature",
    "oversize",
    "malformed",
    "address_limited",
    "key_limited",
  ])
  .meta({ id: "Offence", title: "What is held against a caller" });
export type Offence = z.infer<typeof offenceSchema>;

export const blockSchema = z
  .strictObject({
    block_id: z.string(),
    kind: z.enum(["address", "key"]),
    subject: z.string().meta({ description: "The address, or the id of the key" }),
    tenant: tenantIdSchema.nullable().meta({ description: "The key's; an address has none" }),
    offence: offenceSchema.meta({ description: "The one that was too many" }),
    blocked_at: instantSchema,
    until: instantSchema,
    times: z
      .int()
      .min(1)
      .meta({ description: "Blocks in a row, this one included: each lasts twice as long" }),
  })
  .meta({ id: "Block", title: "Temporary block of a repeat offender" });
export type Block = z.infer<typeof blockSchema>;
