import type { FilterTest, FilterVerdict } from "../../protocol/webhook-operations.ts";
import { shownFacets, wantedFacets } from "./facets.ts";
import { factsOf, refusingFilters, type FilterFacts, type FilterName } from "./filters.ts";

/**
 * Whether an endpoint with these events and filters would get the sample, and what stands against it.
 *
 * Judged by the rules that judge events. A sample without a task, an alert or an executor's state, shows no task to
 * the filters, whatever it says of one.
 */
export function testFilters({ events, filters, sample }: FilterTest): FilterVerdict {
  const { type, notification, ...around } = sample;
  const facts = factsOf(type, around, notification);
  const refusing = refusingFilters(filters ?? null, facts);
  const refused_by = [
    ...(isSubscribed(events, facts)
      ? []
      : [{ pointer: "/events", detail: "none of them stands for such a notification" }]),
    ...refusing.map((name) => ({ pointer: `/filters/${name}`, detail: REASONS[name] })),
  ];
  return { wanted: refused_by.length === 0, refused_by };
}

const REASONS: Readonly<Record<FilterName, string>> = {
  task_types: "the notification is of no task of these types",
  priorities: "the notification is of no task of these priorities",
  agent_ids: "the notification is of none of these executors",
  tags: "the notification is of no task with one of these tags",
  match: "the notification does not meet the conditions",
};

/** Whether the events ask for it, the filters aside. */
function isSubscribed(events: FilterTest["events"], facts: FilterFacts): boolean {
  const shown = shownFacets(facts).map(({ facet }) => facet);
  return wantedFacets({ events }).some(
    ({ type, facet }) => type === facts.type && shown.includes(facet),
  );
}
