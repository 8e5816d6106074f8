import * as z from "zod";

import { numbersOf, UPGRADER } from "./upgrader.ts";

/** The version of the contract that this code speaks (protocol.md §7, Versions). */
export const SCHEMA_VERSION = UPGRADER.current;

const MAJOR = numbersOf(SCHEMA_VERSION)?.major ?? 0;

/** Free JSON object: the only places where unknown fields are welcome (protocol.md §3). */
export const jsonObjectSchema = z.record(z.string(), z.unknown());
export type JsonObject = z.infer<typeof jsonObjectSchema>;

export const taskIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,100}$/, "must be 1-100 characters of A-Z a-z 0-9 _ -")
  .meta({ description: "Identity of a task inside its tenant." });

export const agentIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:@-]{1,100}$/, "must be 1-100 characters of A-Z a-z 0-9 _ . : @ -")
  .meta({ description: "Identity of an agent inside its tenant." });

export const webhookIdSchema = z
  .string()
  .regex(/^[a-z]{2}_[0-9A-Za-z]{22}$/, "must be a webhook id such as wh_…")
  .meta({ description: "Identity of a webhook endpoint." });

/** A name that appears in routing: a pool, a capability. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:/-]{1,100}$/, "must be 1-100 characters of A-Z a-z 0-9 _ . : / -");

export const instantSchema = z.iso
  .datetime({ offset: true })
  .meta({ description: "RFC 3339 instant." });

/** A text for people: 1-10,000 characters (protocol.md §7, Notifications). */
export const textSchema = z.string().min(1).max(10_000);

/** A free word such as an error type: at most 100 characters (protocol.md §7, Notifications). */
export const wordSchema = z.string().min(1).max(100);

export const tagsSchema = z.array(z.string().min(1).max(100)).max(50);

/** The most money and the most tokens or calls that one message may speak of: sums of thousands stay exact. */
export const MOST = { cost_usd: 1_000_000_000, tokens: 1_000_000_000_000 } as const;

/** An amount of money, US dollars. */
export const moneySchema = z.number().min(0).max(MOST.cost_usd);

/** A number of tokens or calls. */
export const amountSchema = z.int().min(0).max(MOST.tokens);

/** Seconds that somebody says something took or will take: at most a year, so that any instant plus it is one. */
export const spanSchema = z.number().min(0).max(31_536_000);

export const scoreSchema = z.number().min(0).max(1);

export const schemaVersionSchema = z
  .string()
  .regex(
    new RegExp(`^${MAJOR}(\\.\\d{1,4})?$`),
    `unsupported version; supported: ${UPGRADER.supported.join(", ")}`,
  )
  .default(SCHEMA_VERSION)
  .meta({
    description: `Version of the contract; later minors of ${MAJOR} are read as ${SCHEMA_VERSION}.`,
  });
