import { z } from "zod";

import { notificationTypeSchema } from "../../protocol/enums.ts";
import { webhookRegistrationSchema } from "../../protocol/webhook.ts";
import { shownFacets, wantedFacets, type Facet, type Wishes } from "./facets.ts";
import { isWanted, type FilterFacts } from "./filters.ts";

const { events, filters } = webhookRegistrationSchema.shape;
const wishesSchema = z.object({ events, filters: filters.unwrap().optional() });

/**
 * From when on a registration's wishes hold, and which held before: news is handed on some time after it happened,
 * and what happened before a change is no concern of the change (protocol.md §7, Webhooks).
 */
export const routingSchema = z.object({
  /** RFC 3339 instant; the empty text is before all. */
  since: z.string(),
  /** Null where nothing else was. */
  before: wishesSchema.nullable(),
});
export type Routing = z.infer<typeof routingSchema>;

/**
 * Characters of JSON that wishes of the past may take. A row of D1 holds 2 MB (facts/platform.md §4), and filters may be
 * as large as a body, 1 MiB (protocol.md §7): larger ones are forgotten, and the new ones hold for what is under way.
 */
const LARGEST_PAST = 500_000;

/** Wishes that have always held. */
export const ALWAYS: Routing = { since: "", before: null };

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

type Registered = z.infer<typeof wishesSchema>;

interface Routed {
  registration: Registered;
  routing: Routing;
}

/**
 * The routing of a webhook after a change.
 *
 * @param now RFC 3339 instant
 */
export function routingAfter(before: Routed, after: Registered, now: string): Routing {
  const wished = wishesOf(before.registration);
  const isSame = JSON.stringify(wished) === JSON.stringify(wishesOf(after));
  if (isSame) return before.routing;
  return JSON.stringify(wished).length > LARGEST_PAST ? ALWAYS : { since: now, before: wished };
}

function wishesOf({ events: wanted, filters: conditions }: Registered): Registered {
  return { events: wanted, filters: conditions };
}

/** Under which keys a webhook is found: what it wants now, and what it wanted before. */
export function routedFacets({ registration, routing }: Routed): Facet[] {
  const past = routing.before === null ? [] : wantedFacets(routing.before);
  const both = [...wantedFacets(registration), ...past];
  return [...new Map(both.map((each) => [`${each.type} ${each.facet}`, each])).values()];
}

/**
 * Whether an endpoint that was found under a key of such news wanted it when it happened.
 *
 * @param at RFC 3339 instant at which it happened
 */
export function isRouted(found: Subscriber, facts: FilterFacts, at: string): boolean {
  if (at < found.created_at) return false;
  const { since, before } = found.routing;
  const now = { events: found.events, filters: found.filters ?? undefined };
  const wishes = before === null || at >= since ? now : before;
  // Without other wishes before there are no keys but those of the wishes that hold.
  return (before === null || isShown(wishes, facts)) && isWanted(wishes.filters ?? null, facts);
}

function isShown(wishes: Wishes, facts: FilterFacts): boolean {
  const shown = new Set(shownFacets(facts).map(({ facet }) => facet));
  return wantedFacets(wishes).some(({ type, facet }) => type === facts.type && shown.has(facet));
}
