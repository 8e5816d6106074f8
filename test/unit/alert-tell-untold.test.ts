import { describe, expect, it } from "vitest";

import type { AlertChange, TellPorts } from "../../src/observe/alerts/ports.ts";
import { isRoutedTo } from "../../src/observe/alerts/routing.ts";
import { tellUntold } from "../../src/observe/alerts/tell-untold.ts";
import type { AlertView } from "../../src/protocol/alerts.ts";

const FIRED = Date.parse("2026-11-22T12:00:00.000Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** An alert, two webhooks and two channels; each takes what comes first and nothing while it is deaf. */
function world(alert: Partial<AlertView> = {}, untold: AlertChange[] = ["fired"]) {
  let kept = {
    alert: {
      alert_id: "al_1",
      rule_id: "slow",
      severity: "critical" as const,
      state: "firing" as const,
      title: "Slow",
      detail: "80 s",
      evidence: {},
      subject: "all",
      pending_since: new Date(FIRED).toISOString(),
      fired_at: new Date(FIRED).toISOString(),
      resolved_at: null,
      acknowledged_at: null,
      acknowledged_by: null,
      note: null,
      silenced_by: null,
      told: [] as string[],
      ...alert,
    },
    untold,
  };
  const deaf = new Set<string>();
  const got = new Map<string, string[]>();
  const lines: string[] = [];
  let marks = 0;
  const hand = (ids: readonly string[], change: AlertChange) => {
    const missed = ids.filter((id) => deaf.has(id));
    for (const id of ids) {
      const has = got.get(id) ?? [];
      if (!deaf.has(id) && !has.includes(change)) got.set(id, [...has, change]);
    }
    return { told: ids.filter((id) => !deaf.has(id)), missed };
  };
  const channel = (channel_id: string) => ({
    channel_id,
    kind: "paging" as const,
    severities: ["critical" as const],
    is_enabled: true,
    tells_resolved: true,
  });
  const ports: TellPorts = {
    log: (_level, event) => lines.push(event),
    publish: async ({ change }, except) => {
      if (deaf.has("registry")) throw new Error("D1 is down");
      return hand(
        ["wh_a", "wh_b"].filter((id) => !except.includes(id)),
        change,
      ).missed;
    },
    tellChannels: async ({ alert: told, change }) =>
      hand(
        ["pager", "mail"].filter((id) => isRoutedTo(channel(id), told, change)),
        change,
      ),
    markTold: async (_tenant, _id, { change, channels, isDone }) => {
      if (deaf.has("marks")) throw new Error("D1 is down");
      marks += 1;
      kept = {
        alert: { ...kept.alert, ...(change === "fired" && { told: [...channels] }) },
        untold: isDone ? kept.untold.filter((one) => one !== change) : kept.untold,
      };
    },
  };
  return {
    deaf,
    lines,
    look: (now = FIRED) => tellUntold(ports, { tenant: "acme", now }, kept),
    end: (at = FIRED + HOUR) => {
      kept = {
        alert: { ...kept.alert, resolved_at: new Date(at).toISOString() },
        untold: [...kept.untold, "resolved"],
      };
    },
    marks: () => marks,
    state: () => ({ got: Object.fromEntries(got), untold: kept.untold, told: kept.alert.told }),
  };
}

const BOTH: AlertChange[] = ["fired", "resolved"];

describe("what is untold of an alert", () => {
  it.each(["wh_a", "registry", "mail"])(
    "reaches all others while %s can't be reached, the end too, and it in order after that",
    async (broken) => {
      const { deaf, lines, look, end, state } = world();
      deaf.add(broken);
      await look();
      end();
      await look();
      await look();
      const without = broken === "registry" ? ["wh_a", "wh_b"] : [broken];
      const others = ["wh_a", "wh_b", "pager", "mail"].filter((id) => !without.includes(id));
      const before = state();
      deaf.clear();
      await look();

      expect(before.got).toEqual(Object.fromEntries(others.map((id) => [id, BOTH])));
      expect(before.untold).toEqual(BOTH);
      expect(lines).toContain("alert_not_told");
      expect(state()).toMatchObject({
        got: { wh_a: BOTH, wh_b: BOTH, pager: BOTH, mail: BOTH },
        untold: [],
      });
    },
  );

  it("is told in order where one comes back between the two", async () => {
    const { deaf, look, end, state } = world();
    deaf.add("pager");
    end();
    const both = look();
    deaf.delete("pager");
    await both;
    await look();

    expect(state().got["pager"]).toEqual(BOTH);
  });

  it("costs a row when somebody new was told, and none while the same is not reached", async () => {
    const { deaf, look, marks, state } = world();
    deaf.add("wh_a");
    await look();
    await look();
    await look();

    expect(state()).toMatchObject({ told: ["pager", "mail"], untold: ["fired"] });
    expect(marks()).toBe(1);
  });

  it("is given up a day after the end, never while it fires", async () => {
    const { deaf, lines, look, end, state } = world();
    deaf.add("wh_a");
    await look(FIRED + 30 * DAY);
    end(FIRED + 30 * DAY);
    await look(FIRED + 31 * DAY);
    const before = [state().untold, lines.includes("alert_given_up")];
    await look(FIRED + 31 * DAY + 1);

    expect(before).toEqual([BOTH, false]);
    expect(state().untold).toEqual([]);
    expect(lines).toContain("alert_given_up");
  });

  it("stays untold while that it was told can't be noted", async () => {
    const { deaf, look, end, state } = world();
    deaf.add("marks");
    end();
    await look();
    const before = state();
    deaf.clear();
    await look();

    expect(before.untold).toEqual(BOTH);
    expect(state()).toMatchObject({ untold: [], got: { pager: BOTH, wh_a: BOTH } });
  });
});
