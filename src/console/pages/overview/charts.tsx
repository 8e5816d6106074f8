import { useMemo } from "preact/hooks";

import type { Overview, Series } from "../../api/overview.ts";
import { gridOf } from "../../lib/chart-data.ts";
import { count, instantOf, money, shortMoney } from "../../lib/format.ts";
import { ChartPanel } from "../../parts/chart-panel.tsx";
import { useLang, useWords } from "../../parts/use-words.ts";
import { overviewWords } from "../../words/overview.ts";

/** Ends that are no success; cancelled ones are neither. */
const FAILED = ["failed", "escalated"];

function taskLine({ metric, labels }: Series): string | null {
  if (metric === "tasks_created") return "created";
  if (metric !== "tasks_ended") return null;
  const status = labels["status"] ?? "";
  return FAILED.includes(status) ? "failed" : status === "completed" ? "completed" : null;
}

const costLine = ({ metric }: Series): string | null => (metric === "cost_usd" ? "cost" : null);

function deliveryLine({ metric, labels }: Series): string | null {
  if (metric !== "deliveries") return null;
  return labels["outcome"] === "delivered" ? "delivered" : "notDelivered";
}

const TASK_STYLES = [
  { colour: "--live" },
  { colour: "--good", dash: [2, 3] },
  { colour: "--bad", dash: [7, 4] },
];
const COST_STYLES = [{ colour: "--accent" }];
const DELIVERY_STYLES = [{ colour: "--good" }, { colour: "--bad", dash: [7, 4] }];

/** The last hour, minute by minute. */
export function Charts({ of: { series, at } }: { of: Overview }) {
  const say = useWords(overviewWords);
  const lang = useLang();
  const [tasks, cost, deliveries] = useMemo(() => {
    const end = (instantOf(at) ?? 0) / 1_000;
    return [
      gridOf(series, { lineIds: ["created", "completed", "failed"], lineOf: taskLine, at: end }),
      gridOf(series, { lineIds: ["cost"], lineOf: costLine, at: end }),
      gridOf(series, { lineIds: ["delivered", "notDelivered"], lineOf: deliveryLine, at: end }),
    ] as const;
  }, [series, at]);
  const whole = (value: number): string => count(value, lang);
  const dollars = (value: number): string => money(value, lang);
  const names = {
    created: say("created"),
    completed: say("completed"),
    failed: say("failed"),
    cost: say("cost"),
    delivered: say("delivered"),
    notDelivered: say("notDelivered"),
  };
  return (
    <div class="columns charts">
      <ChartPanel
        title={say("throughput")}
        grid={tasks}
        names={names}
        styles={TASK_STYLES}
        format={whole}
      />
      <ChartPanel
        title={say("costChart")}
        grid={cost}
        names={names}
        styles={COST_STYLES}
        format={dollars}
        axisFormat={(value) => shortMoney(value, lang)}
      />
      <ChartPanel
        title={say("deliveryChart")}
        grid={deliveries}
        names={names}
        styles={DELIVERY_STYLES}
        format={whole}
      />
    </div>
  );
}
