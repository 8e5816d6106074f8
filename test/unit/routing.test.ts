import { describe, expect, it } from "vitest";

import { wantedFacets, type Wishes } from "../../src/delivery/registry/facets.ts";
import type { FilterFacts } from "../../src/delivery/registry/filters.ts";
import {
  isRouted,
  routedFacets,
  routingAfter,
  subscriberSchema,
  type Routing,
} from "../../src/delivery/registry/routing.ts";
import type { WebhookEvent, WebhookFilters } from "../../src/protocol/webhook.ts";

const BEFORE = "2026-11-26T00:00:00.000Z";
const CREATED = "2026-11-25T00:00:00.000Z";
const SINCE = "2026-11-26T00:00:01.000Z";

const FACTS: FilterFacts = {
  type: "task_failed",
  task_type: "testing",
  priority: "high",
  agent_id: "a-1",
  tags: ["t"],
  notification: {},
};

const ALERT: FilterFacts = {
  type: "system_alert",
  task_type: null,
  priority: null,
  agent_id: null,
  tags: [],
  notification: { severity: "warning" },
};

function found(now: Wished, before: Wished | null, until = SINCE) {
  return {
    type: "task_failed" as const,
    webhook_id: "wh_x",
    version: 2,
    events: now.events,
    filters: now.filters ?? null,
    routing: before === null ? [] : [{ ...before, until }],
    created_at: CREATED,
  };
}

interface Wished {
  events: WebhookEvent[];
  filters?: WebhookFilters;
}

const FAILURES: Wished = { events: ["task_failed"] };
const ON_T: Wished = { events: ["task_failed"], filters: { tags: ["t"] } };
const ON_U: Wished = { events: ["task_failed"], filters: { tags: ["u"] } };

describe("what an endpoint wanted when something happened", () => {
  it.each([
    ["nothing, before it was registered", FAILURES, null, ["2026-11-24T23:59:58.999Z", false]],
    [
      "nothing then, also when it was changed since",
      FAILURES,
      ON_T,
      ["2026-11-24T10:00:00.000Z", false],
    ],
    ["its events, from its registration on", FAILURES, null, [CREATED, true]],
    ["what its old filters let pass, before they changed", ON_U, ON_T, [BEFORE, true]],
    ["what its new filters let pass, once they have changed", ON_U, ON_T, [SINCE, false]],
    ["not what only its new filters let pass, before", ON_T, ON_U, [BEFORE, false]],
    ["what its new filters let pass, although the old ones did not", ON_T, ON_U, [SINCE, true]],
    ["not what it has stopped to ask for", { events: ["task_started"] }, FAILURES, [SINCE, false]],
    ["what it asked for until then", { events: ["task_started"] }, FAILURES, [BEFORE, true]],
  ] as const)("%s", (_what, now, before, [at, isWanted]) => {
    const subscriber = found(mutable(now), before === null ? null : mutable(before));

    expect(isRouted(subscriber, FACTS, at)).toBe(isWanted);
  });

  it("knows of alerts which severities were asked for", () => {
    const subscriber = found({ events: ["system_alert"] }, { events: ["error_event"] });

    expect(isRouted(subscriber, ALERT, BEFORE)).toBe(false);
    expect(isRouted(subscriber, ALERT, SINCE)).toBe(true);
  });
});

function mutable({ events, filters }: Wishes): Wished {
  return { events: [...events], ...(filters !== undefined && { filters }) };
}

describe("the routing of a changed endpoint", () => {
  const NOW = Date.parse(SINCE);
  const DAY_MS = 86_400_000;

  it("remembers what was wanted until the change", () => {
    const after = routingAfter({ registration: ON_T, routing: [] }, ON_U, NOW);

    expect(after).toEqual([{ ...ON_T, until: SINCE }]);
  });

  it("stays when neither events nor filters changed", () => {
    const routing: Routing = [{ ...ON_U, until: BEFORE }];

    expect(routingAfter({ registration: ON_T, routing }, { ...ON_T }, NOW)).toEqual(routing);
  });

  it("knows several changes, each for its own time", () => {
    const first = routingAfter({ registration: ON_T, routing: [] }, ON_U, NOW);
    const routing = routingAfter({ registration: ON_U, routing: first }, ON_T, NOW + 1_000);
    const subscriber = { ...found(ON_T, null), routing };
    const at = (ms: number) => isRouted(subscriber, FACTS, new Date(NOW + ms).toISOString());

    expect([at(-1), at(0), at(999), at(1_000)]).toEqual([true, false, false, true]);
  });

  it("forgets what ended more than a day ago, and all but the last ten", () => {
    const old = routingAfter({ registration: ON_T, routing: [] }, ON_U, NOW);
    expect(routingAfter({ registration: ON_U, routing: old }, ON_T, NOW + DAY_MS)).toHaveLength(1);

    let routing: Routing = [];
    for (let change = 0; change < 12; change += 1) {
      const [from, to] = change % 2 === 0 ? [ON_T, ON_U] : [ON_U, ON_T];
      routing = routingAfter({ registration: from, routing }, to, NOW + change);
    }
    expect(routing).toHaveLength(10);
    expect(routing.at(-1)).toMatchObject(ON_U);
  });

  it("forgets wishes that no row could hold beside the new ones", () => {
    const large: Wished = { events: ["all"], filters: { tags: ["x".repeat(600_000)] } };

    expect(routingAfter({ registration: large, routing: [] }, ON_U, NOW)).toEqual([]);
  });

  it("is found by what is wanted and by what was, each once", () => {
    const changed = { registration: ON_U, routing: [{ ...ON_T, until: SINCE }] };
    const same = { registration: ON_U, routing: [{ ...ON_U, until: SINCE }] };

    expect(routedFacets(changed)).toEqual([...wantedFacets(ON_U), ...wantedFacets(ON_T)]);
    expect(routedFacets(same)).toEqual(wantedFacets(ON_U));
  });
});

describe("a subscriber's row", () => {
  it("brings what is kept as JSON out of it", () => {
    const row = {
      type: "task_failed",
      webhook_id: "wh_x",
      version: 2,
      events: '["all"]',
      routing: "[]",
      created_at: CREATED,
    };

    expect(subscriberSchema.parse({ ...row, filters: '{"tags":["a"]}' })).toMatchObject({
      filters: { tags: ["a"] },
      events: ["all"],
      routing: [],
    });
    expect(subscriberSchema.parse({ ...row, filters: null }).filters).toBeNull();
  });
});
