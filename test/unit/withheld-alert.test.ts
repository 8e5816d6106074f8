import { describe, expect, it } from "vitest";

import { WithheldPace, withheldAlert } from "../../src/delivery/withheld-alert.ts";
import { systemAlertSchema } from "../../src/protocol/webhook-operations.ts";
import { validationRecord } from "../validation-record.ts";

const NOW = Date.parse("2026-11-26T10:00:00Z");
const withheld = (more = {}) =>
  validationRecord({
    outcome: "withheld",
    operation: null,
    route: "webhook:task_progress",
    errors: [{ pointer: "/data/*", code: "invalid_type" }],
    ...more,
  });

describe("the alert of something withheld", () => {
  it("is a sound alert of severity error that names the places and no value", () => {
    const alert = withheldAlert(withheld(), NOW);

    expect(systemAlertSchema.parse(alert)).toMatchObject({
      severity: "error",
      evidence: {
        route: "webhook:task_progress",
        places: [{ pointer: "/data/*", code: "invalid_type" }],
      },
    });
  });

  it("is the same alert for one kind of fault within five minutes", () => {
    const ids = [NOW, NOW + 299_999, NOW + 300_000].map(
      (at) => withheldAlert(withheld(), at).alert_id,
    );
    const other = withheldAlert(withheld({ operation: "get_task" }), NOW).alert_id;

    expect(ids[0]).toBe(ids[1]);
    expect(new Set([...ids, other]).size).toBe(3);
  });

  it("is due once per tenant and kind in five minutes", () => {
    const pace = new WithheldPace();
    const asked: [string, object, number][] = [
      ["acme", {}, NOW],
      ["acme", {}, NOW + 1],
      ["other", {}, NOW],
      ["acme", { operation: "get_task" }, NOW],
      ["acme", {}, NOW + 300_000],
    ];

    const due = asked.map(([tenant, more, at]) => pace.isDue(tenant, withheld(more), at));

    expect(due).toEqual([true, false, true, true, true]);
  });
});
