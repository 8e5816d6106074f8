/** How the demo looks: colours and a moving bar on a terminal, plain lines everywhere else. */
import { styleText } from "node:util";

const { stdout, env } = process;

/** Whether the screen is a terminal that a person watches. */
const isLive = stdout.isTTY === true && !env.CI && env.TERM !== "dumb";

const WIDTH = Math.min((isLive && stdout.columns) || 100, 110);
const BAR_WIDTH = 24;
const PLOT_HEIGHT = 6;
const EIGHTHS = " ▁▂▃▄▅▆▇█";

/** Text in a style of node:util, where styles are wanted. */
export function styled(style, text) {
  return isLive && !env.NO_COLOR ? styleText(style, text, { validateStream: false }) : text;
}

/** A line of output. */
export function say(text = "") {
  stdout.write(`${text}\n`);
}

/** A heading with a line of its own. */
export function heading(text) {
  say(`\n${styled("bold", text)}`);
}

/** A paragraph, wrapped and indented. `first` stands before its first line. */
export function paragraph(text, first = "  ") {
  const indent = " ".repeat(first.length);
  let line = first;
  for (const word of text.split(/\s+/)) {
    if (line.length + word.length > WIDTH && line.length > indent.length) {
      say(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  say(line.trimEnd());
}

/** Rows with aligned columns; the widths follow the longest cell. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows) {
    say(`  ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ")}`.trimEnd());
  }
}

/** A text that keeps its beginning and its end when it is too long. */
export function shortened(text, length) {
  if (text.length <= length) return text;
  const end = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - end)}…${text.slice(-end)}`;
}

function showBar(percentage, step) {
  const filled = Math.round((percentage / 100) * BAR_WIDTH);
  const bar = styled("cyan", "█".repeat(filled)) + styled("dim", "░".repeat(BAR_WIDTH - filled));
  const share = `${String(Math.round(percentage)).padStart(3)} %`;
  stdout.write(`  ${bar} ${share}  ${shortened(step, WIDTH - BAR_WIDTH - 12)}`);
}

/**
 * Shows work as it goes on. On a terminal the bar stays at the bottom, and each step is ticked off above it with the time
 * it took; elsewhere each step is a line.
 */
export function progressBar() {
  let current = null;
  const tickOff = (at) => {
    if (!isLive || current === null) return;
    stdout.write("\r\u001B[2K");
    say(`  ${styled("green", "✓")} ${current.step} ${styled("dim", `${at - current.at} ms`)}`);
    current = null;
  };
  return {
    /** @param at epoch milliseconds at which the step began */
    step(percentage, step, at) {
      if (!isLive) return say(`  ${String(Math.round(percentage)).padStart(3)} %  ${step}`);
      tickOff(at);
      current = { step, at };
      showBar(percentage, step);
    },
    end: tickOff,
  };
}

/** Says that something takes its time; `done` replaces it by the outcome, or by nothing. */
export function waiting(text) {
  const begun = Date.now();
  const seconds = () => ((Date.now() - begun) / 1_000).toFixed(1);
  const show = () => stdout.write(`\r\u001B[2K  ${styled("dim", `${text} ${seconds()} s`)}`);
  const timer = isLive ? setInterval(show, 100) : null;
  return {
    done(outcome) {
      clearInterval(timer);
      if (isLive) stdout.write("\r\u001B[2K");
      if (outcome !== null) say(`  ${outcome} ${styled("dim", `(${seconds()} s)`)}`);
    },
  };
}

function averages(values, count) {
  return Array.from({ length: Math.min(count, values.length) }, (_, index) => {
    const size = values.length / Math.min(count, values.length);
    const part = values.slice(Math.floor(index * size), Math.floor((index + 1) * size));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

/**
 * A series as an area of block characters, its range on the left and its ends below.
 *
 * @param ends labels of the first and the last value
 */
export function plot(values, ends) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const labels = { 0: high.toFixed(1), [PLOT_HEIGHT - 1]: low.toFixed(1) };
  const margin = Math.max(...Object.values(labels).map((label) => label.length)) + 4;
  const columns = averages(values, WIDTH - margin - 2);
  for (let row = 0; row < PLOT_HEIGHT; row += 1) {
    const cells = columns.map((value) => {
      const height = ((value - low) / (high - low || 1)) * (PLOT_HEIGHT * 8 - 1) + 1;
      const part = Math.round(height) - (PLOT_HEIGHT - 1 - row) * 8;
      return EIGHTHS[Math.max(0, Math.min(8, part))];
    });
    const area = styled("cyan", cells.join(""));
    say(`${(labels[row] ?? "").padStart(margin - 1)} ${area}`.trimEnd());
  }
  const gap = Math.max(1, columns.length - ends[0].length - ends[1].length);
  say(`${" ".repeat(margin)}${styled("dim", ends[0] + " ".repeat(gap) + ends[1])}`);
}
