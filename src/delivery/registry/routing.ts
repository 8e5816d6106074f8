import * as z from "zod";

import { instant } from "../../lib/ports.ts";
import { notificationTypeSchema } from "../../protocol/enums.ts";
import { webhookRegistrationSchema } from "../../protocol/webhook.ts";
import { distinctFacets, shownFacets, wantedFacets, type Facet, type Wishes } from "./facets.ts";
import { isWanted, type FilterFacts } from "./filters.ts";

const { events, filters } = webhookRegistrationSchema.shape;
const wishesSchema = z.object({ events, filters: filters.unwrap().optional() });
type Registered = z.infer<typeof wishesSchema>;

/**
 * What was wanted before, oldest first: news is handed on some time after it happened, and what happened before a
 * change is no concern of the change (protocol.md §7, Webhooks).
 */
export const routingSchema = z.array(
  wishesSchema.extend({
    /** RFC 3339 instant from which on these wishes hold no longer. */
    until: z.string(),
  }),
);
export type Routing = z.infer<typeof routingSchema>;

/** For how long news may be under way: what ended earlier is forgotten with the next change. */
const LONGEST_WAY_MS = 86_400_000;

/** Changes that are remembered. */
const MOST_PAST = 10;

/**
 * Characters of JSON that wishes of the past may take. A row of D1 holds 2 MB (facts/platform.md §4), and filters may be
 * as large as a body, 1 MiB (protocol.md §7): the oldest beyond it are forgotten.
 */
const LARGEST_PAST = 500_000;

/** How far the clocks of two objects may be apart: what happens right after a registration is not lost by it. */
const SKEW_MS = 1_000;

/** A value that comes as JSON. */
const jsonOf = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(schema);

/** One endpoint that wants, or has wanted, one type of notification. */
export const subscriberSchema = z.object({
  type: notificationTypeSchema,
  webhook_id: z.string(),
  version: z.int(),
  events: jsonOf(events),
  filters: jsonOf(filters.unwrap()).nullable(),
  routing: jsonOf(routingSchema),
  created_at: z.string(),
});
export type Subscriber = z.infer<typeof subscriberSchema>;

interface Routed {
  registration: Registered;
  routing: Routing;
}

/**
 * The routing of a webhook after a change.
 *
 * @param now epoch milliseconds
 */
export function routingAfter(before: Routed, after: Registered, now: number): Routing {
  const wished = wishesOf(before.registration);
  if (JSON.stringify(wished) === JSON.stringify(wishesOf(after))) return before.routing;
  const oldest = instant(now - LONGEST_WAY_MS);
  const past = [...before.routing, { ...wished, until: instant(now) }]
    .filter(({ until }) => until > oldest)
    .slice(-MOST_PAST);
  while (JSON.stringify(past).length > LARGEST_PAST) past.shift();
  return past;
}

function wishesOf({ events: wanted, filters: conditions }: Registered): Registered {
  return { events: wanted, filters: conditions };
}

/** Under which keys a webhook is found: what it wants now, and what it wanted before. */
export function routedFacets({ registration, routing }: Routed): Facet[] {
  return distinctFacets([registration, ...routing].flatMap((wishes) => wantedFacets(wishes)));
}

/**
 * Whether an endpoint that was found under a key of such news wanted it when it happened.
 *
 * @param at RFC 3339 instant at which it happened
 */
export function isRouted(found: Subscriber, facts: FilterFacts, at: string): boolean {
  if (Date.parse(at) + SKEW_MS < Date.parse(found.created_at)) return false;
  const { routing } = found;
  const now = { events: found.events, filters: found.filters ?? undefined };
  const wishes = routing.find(({ until }) => at < until) ?? now;
  // Without other wishes before there are no keys but those of the wishes that hold.
  return (
    (routing.length === 0 || isShown(wishes, facts)) && isWanted(wishes.filters ?? null, facts)
  );
}

function isShown(wishes: Wishes, facts: FilterFacts): boolean {
  const shown = new Set(shownFacets(facts).map(({ facet }) => facet));
  return wantedFacets(wishes).some(({ type, facet }) => type === facts.type && shown.has(facet));
}
