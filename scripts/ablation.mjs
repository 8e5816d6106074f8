import { POLICIES } from "../test/router-policies.ts";
import { regretOf } from "../test/router-simulation.ts";

/**
 * The table of facts/orchestration.md §3.4 for the router as it is: mean regret per task by policy, lower is better.
 *
 *   npm run ablation [-- SEEDS]      10 seeds by default: a minute or two
 */
const count = Number(process.argv[2] ?? 10);
if (!Number.isInteger(count) || count < 1 || count > 1000) {
  console.error("usage: npm run ablation [-- SEEDS], with 1 to 1000 seeds");
  process.exit(2);
}
const seeds = Array.from({ length: count }, (_, index) => index + 1);

/** The columns of the table. `part`: of all tasks, or of those after the drift. */
const COLUMNS = [
  { title: "N=500, no drift", tasks: 500, hasDrift: false, priors: "informed", parts: ["mean"] },
  {
    title: "N=5,000, drift",
    tasks: 5_000,
    hasDrift: true,
    priors: "informed",
    parts: ["mean", "late"],
  },
  {
    title: "N=20,000, drift, flat wrong priors",
    tasks: 20_000,
    hasDrift: true,
    priors: "flat",
    parts: ["mean", "late"],
  },
  {
    title: "N=500, flat wrong priors",
    tasks: 500,
    hasDrift: false,
    priors: "flat",
    parts: ["mean"],
  },
];

const digits = (value) => value.toFixed(3).replace(/^0/, "");
const titles = COLUMNS.flatMap(({ title, parts }) =>
  parts.map((part) => (part === "late" ? "after drift" : title)),
);
console.log(`Mean regret per task, ${count} seeds.\n`);
console.log(`| Policy | ${titles.join(" | ")} |`);
console.log(`|---|${titles.map(() => "---").join("|")}|`);
for (const policy of POLICIES) {
  const cells = COLUMNS.flatMap(({ tasks, hasDrift, priors, parts }) => {
    const regret = regretOf(policy, { tasks, hasDrift, priors }, seeds);
    return parts.map((part) => digits(regret[part]));
  });
  console.log(`| ${policy.name} | ${cells.join(" | ")} |`);
}
