/** What the demo shows of a task: findings, chart, report, webhooks. */
import { heading, paragraph, plot, say, shortened, styled, table } from "./screen.mjs";

const FINDINGS = 5;
const LONGEST_LINE = 84;
const LONGEST_ID = 44;

function seconds(ms) {
  return `${(ms / 1_000).toFixed(3)} s`;
}

/** A line of the timeline as a person would put it, cut where it would not fit. */
function readable(what) {
  const text = what.replace(/progress_percentage ([\d.]+), current_step /, "$1 %, ");
  return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE - 1)}…` : text;
}

function titleOf({ title }) {
  return typeof title === "string" ? title : title.text;
}

/** Draws a chart that runs over time; others need a program that reads Vega-Lite. */
function showChart(chart) {
  const { values } = chart.data;
  const isSeries = values.every(({ x, y }) => typeof x === "string" && typeof y === "number");
  if (!isSeries || values.length === 0) return;
  say(`\n  ${titleOf(chart)} ${styled("dim", "(the task's Vega-Lite chart, in characters)")}`);
  const day = ({ x }) => x.slice(0, 10);
  plot(
    values.map(({ y }) => y),
    [day(values[0]), day(values.at(-1))],
  );
}

/** What an analysis found, the most telling first. */
export function showFindings({ findings, chart }) {
  heading("What it found");
  for (const { text } of findings.slice(0, FINDINGS)) paragraph(text, "  • ");
  if (findings.length > FINDINGS) {
    say(styled("dim", `    … and ${findings.length - FINDINGS} more in the task's result`));
  }
  if (chart !== null) showChart(chart);
}

/** The end-task report for people. */
export function showReport({ timeline, metrics, finalization, quality_assessment, ...report }) {
  heading(`The end-task report of ${report.task_id}`);
  const begun = Date.parse(timeline[0].at);
  table(
    timeline.map(({ seq, at, what }) => [
      `+${seconds(Date.parse(at) - begun)}`,
      String(seq).padStart(3),
      readable(what),
    ]),
  );
  const phases = finalization.phases.map(({ name, outcome, started_at, ended_at }) => {
    const took = Date.parse(ended_at) - Date.parse(started_at);
    return `${name} ${outcome} in ${took} ms`;
  });
  const rows = [
    ["reason", report.reason],
    [
      "time",
      `${metrics.duration_s} s: ${metrics.queued_s} waiting, ${metrics.executing_s} at work`,
    ],
    ["attempts", `${metrics.attempts}, of which retries: ${metrics.retries}`],
    ["cost", `$${metrics.cost_usd.toFixed(2)}, ${metrics.tokens} tokens`],
    ["quality", String(quality_assessment?.overall_score ?? "not judged")],
    ["end phases", phases.join("; ")],
  ];
  say();
  table(rows);
}

/** Webhooks in the order in which they arrived. */
export function showWebhooks(webhooks) {
  heading("The webhooks, in the order in which they arrived");
  const head = ["webhook-id", "type", "seq ← prev_seq", "signature", "after"];
  const rows = webhooks.map(({ id, type, seq, prev_seq, isSigned, latencyMs }) => [
    shortened(id, LONGEST_ID),
    type,
    `${String(seq).padStart(3)} ← ${prev_seq ?? "-"}`,
    isSigned ? "ok" : "WRONG",
    `${latencyMs} ms`,
  ]);
  table([head, ...rows]);
}

/** One event of the log as it happens; null where a line of its own would say nothing new. */
export function lineOf({ type, data }) {
  switch (type) {
    case "task_submitted":
      return "submitted, and waiting for an executor with the capability word_count";
    case "task_assigned":
      return `claimed by ${data.agent_id}: attempt ${data.attempt}, lease until ${data.lease_expires_at}`;
    case "task_started":
      return "started";
    case "task_progress":
      return `${data.data.progress_percentage} %: ${data.data.current_step}`;
    case "task_completed":
      return `completed: ${JSON.stringify(data.data.result)}`;
    case "agent_end_task":
      return `ended: ${data.reason}`;
    default:
      return null;
  }
}
