import type { CaseReport, TestReport } from "./report.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\t": "&#9;",
  "\r": "&#13;",
};

/** Text as XML 1.0 may hold it (§2.2): what it may not hold at all becomes U+FFFD. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll(/[&<>"\n\t\r]/g, (character) => ENTITIES[character] ?? "");
}

/** The same between tags, where quotes and line breaks may stand as they are. */
function content(text: string): string {
  return escaped(text).replaceAll("&quot;", '"').replaceAll("&#10;", "\n").replaceAll("&#9;", "\t");
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}

function caseXml({ group, name, state, duration_ms, failures, reason }: CaseReport): string {
  const open = `    <testcase classname="${group}" name="${escaped(name)}" time="${seconds(duration_ms)}"`;
  if (state === "passed") return `${open}/>`;
  if (state === "skipped") {
    return `${open}>\n      <skipped message="${escaped(reason ?? "")}"/>\n    </testcase>`;
  }
  const lines = failures.map(
    ({ path, expected, received }) => `${path}: expected ${expected}, received ${received}`,
  );
  const message = escaped(failures[0]?.path ?? reason ?? "failed");
  const body = lines.map(content).join("\n");
  return `${open}>\n      <failure message="${message}">${body}</failure>\n    </testcase>`;
}

/** A report in the form that CI servers read (JUnit XML): a suite for each group that has tests. */
export function junitOf(report: TestReport): string {
  const groups = Map.groupBy(report.cases, ({ group }) => group);
  const suites = [...groups].map(([group, cases]) => {
    const of = (state: CaseReport["state"]) => cases.filter((test) => test.state === state).length;
    const time = seconds(cases.reduce((sum, { duration_ms }) => sum + duration_ms, 0));
    const head = `  <testsuite name="${group}" tests="${cases.length}" failures="${of("failed")}" errors="0" skipped="${of("skipped")}" time="${time}">`;
    return [head, ...cases.map(caseXml), "  </testsuite>"].join("\n");
  });
  const { tests, failed, skipped, duration_ms } = report;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites tests="${tests}" failures="${failed}" errors="0" skipped="${skipped}" time="${seconds(duration_ms)}">`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}
