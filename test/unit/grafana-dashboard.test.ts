import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { METRICS, type Metric } from "../../src/observe/meter/catalogue.ts";

const file = path.join(import.meta.dirname, "../../src/observe/grafana/dashboard.json");

const dashboardSchema = z.looseObject({
  templating: z.object({ list: z.array(z.looseObject({ definition: z.string().optional() })) }),
  panels: z.array(
    z.looseObject({
      id: z.int(),
      type: z.string(),
      title: z.string(),
      gridPos: z.object({ h: z.int(), w: z.int(), x: z.int(), y: z.int() }),
      targets: z.array(z.looseObject({ expr: z.string(), legendFormat: z.string() })).default([]),
    }),
  ),
});

const dashboard = dashboardSchema.parse(JSON.parse(readFileSync(file, "utf8")));

interface Query {
  expr: string;
  legend: string;
}

const queries: Query[] = [
  ...dashboard.panels.flatMap(({ targets }) =>
    targets.map(({ expr, legendFormat }) => ({ expr, legend: legendFormat })),
  ),
  ...dashboard.templating.list.flatMap(({ definition }) =>
    definition === undefined ? [] : [{ expr: definition, legend: "" }],
  ),
];

/** The lines that a metric is exported as: a histogram has three names, a summary two, and none its own. */
function linesOf({ name, type }: Metric): string[] {
  if (type === "histogram") return [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  return type === "summary" ? [`${name}_sum`, `${name}_count`] : [name];
}

const EXPORTED = new Map(
  METRICS.flatMap((metric: Metric) => linesOf(metric).map((line) => [line, metric] as const)),
);

/** Labels that a line may have: those of its metric, that of `?all=1`, and the bound of a bucket. */
function labelsOf(line: string): string[] {
  const labels = EXPORTED.get(line)?.labels ?? [];
  return [...labels, "tenant", ...(line.endsWith("_bucket") ? ["le"] : [])];
}

/** Names that look like metrics, with what stands between their braces. */
function linesIn(expr: string): { line: string; matchers: string[] }[] {
  return [...expr.matchAll(/\b(batuta_\w+)(?:\{([^}]*)\})?/g)].map(([, line = "", inner = ""]) => ({
    line,
    matchers: [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
  }));
}

/** Labels by which a query groups, that its legend shows, or that a variable lists. */
function labelsIn({ expr, legend }: Query): string[] {
  const grouped = [...expr.matchAll(/\b(?:by|on|without|ignoring)\s*\(([^)]*)\)/g)];
  const listed = [...expr.matchAll(/label_values\(.*,\s*(\w+)\)/g)];
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)];
  return [...grouped, ...listed, ...shown].flatMap(([, names = ""]) =>
    names.split(",").map((name) => name.trim()),
  );
}

/** What is wrong with a query; nothing where all that it names is exported. */
function faultsOf(query: Query): string[] {
  const lines = linesIn(query.expr);
  if (lines.length === 0) return [`no metric in ${query.expr}`];
  const known = lines.filter(({ line }) => EXPORTED.has(line));
  return [
    ...lines.filter(({ line }) => !EXPORTED.has(line)).map(({ line }) => `no metric ${line}`),
    ...known.flatMap(({ line, matchers }) =>
      matchers
        .filter((label) => !labelsOf(line).includes(label))
        .map((label) => `no label ${label} of ${line}`),
    ),
    ...labelsIn(query)
      .filter((label) => known.some(({ line }) => !labelsOf(line).includes(label)))
      .map((label) => `no label ${label} in ${query.expr}`),
  ];
}

describe("the Grafana dashboard", () => {
  it("asks for exported metrics alone, by labels that they have", () => {
    expect(queries.length).toBeGreaterThan(30);
    expect(queries.flatMap(faultsOf)).toEqual([]);
  });

  it("shows every exported metric", () => {
    const shown = new Set(
      queries.flatMap(({ expr }) => linesIn(expr).map(({ line }) => EXPORTED.get(line)?.name)),
    );

    expect(METRICS.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
  });

  it.each([
    ["sum(batuta_tasks)", ""],
    ["rate(batuta_task_duration_seconds[5m])", ""],
    ['batuta_tasks_total{colour="red"}', ""],
    ["sum by (type) (batuta_tasks_total)", ""],
    ["batuta_agents", "{{agent_id}}"],
    ["label_values(batuta_agents, pool)", ""],
    ["up", ""],
  ])("would not pass with %s shown as '%s'", (expr, legend) => {
    expect(faultsOf({ expr, legend })).toHaveLength(1);
  });

  it("has panels with ids and places of their own", () => {
    const { panels } = dashboard;
    const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from(
        { length: h * w },
        (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`,
      ),
    );

    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });
});
