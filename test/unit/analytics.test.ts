import { describe, expect, it } from "vitest";

import { createAnalyse, pointOf, type AnalyticsPoint } from "../../src/observe/meter/analytics.ts";

const REQUEST = {
  kind: "request",
  tenant: "acme",
  route: "/v1/tasks/:task_id",
  method: "GET",
  status: 404,
  duration_ms: 12,
} as const;

describe("points for Analytics Engine", () => {
  it("say of a request its route, method and status, and of a delivery how long it took", () => {
    expect(pointOf(REQUEST)).toEqual({
      indexes: ["acme"],
      blobs: ["request", "acme", "/v1/tasks/:task_id", "GET", "404"],
      doubles: [12],
    });
    expect(pointOf({ kind: "delivery", tenant: "acme", latency_ms: 80 })).toEqual({
      indexes: ["acme"],
      blobs: ["delivery", "acme"],
      doubles: [80],
    });
  });

  it("have an index that the platform takes, whoever they are of", () => {
    expect(pointOf({ ...REQUEST, tenant: "" }).indexes).toEqual(["none"]);
    expect(pointOf({ ...REQUEST, tenant: "a".repeat(200) }).indexes[0]).toHaveLength(96);
  });

  it("go where a dataset is bound, and what it refuses is logged and hinders nobody", () => {
    const lines: string[] = [];
    const points: AnalyticsPoint[] = [];
    const log = (_level: string, event: string) => lines.push(event);

    createAnalyse(null, log)(REQUEST);
    createAnalyse({ writeDataPoint: (point) => points.push(point) }, log)(REQUEST);
    const refusing = () => {
      throw new Error("more than 25 points");
    };
    createAnalyse({ writeDataPoint: refusing }, log)(REQUEST);

    expect(points).toEqual([pointOf(REQUEST)]);
    expect(lines).toEqual(["analytics_refused"]);
  });
});
