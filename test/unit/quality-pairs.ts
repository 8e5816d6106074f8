import type { QualityQuestion } from "../../src/executor/quality/assessment.ts";
import type { JsonValue } from "../../src/executor/skills/skill.ts";

/** Two outputs of one task, of which the first is the better. */
export interface Pair {
  task_type: QualityQuestion["task_type"];
  description: string;
  input_data?: QualityQuestion["input_data"];
  better: JsonValue;
  worse: JsonValue;
}

/** A table of four rows. */
export const SALES = {
  csv: "region,month,units,revenue\nnorth,2026-01,120,2400\nsouth,2026-01,80,1500\nnorth,2026-02,150,3000\nsouth,2026-02,60,1150\n",
};
const TRACE =
  "TypeError: Cannot read properties of undefined (reading 'total')\n    at sumTotals (src/totals.ts:4:31)";
const BUGGY =
  "export function sumTotals(orders) {\n  let sum = 0;\n  for (let i = 0; i <= orders.length; i++) {\n    sum += orders[i].total;\n  }\n  return sum;\n}\n";
const DOCUMENTS = [
  {
    id: "field-report",
    text: "The heat pump reached a coefficient of performance of 3.4 in January at minus 5 degrees.",
  },
  {
    id: "vendor-sheet",
    text: "The vendor promises a coefficient of performance of 4.1 at plus 7 degrees.",
  },
];

/** One pair a type, both well-formed and about the task: what makes the first better is what its type is for. */
export const PAIRS: Pair[] = [
  {
    task_type: "code_generation",
    description:
      "Write a TypeScript function named `median` that returns the median of a list of numbers",
    better: {
      files: [
        {
          path: "src/median.ts",
          language: "typescript",
          content:
            "/** The median of a list of numbers; null when the list is empty. */\nexport function median(numbers: readonly number[]): number | null {\n  const sorted = numbers.toSorted((a, b) => a - b);\n  const middle = Math.floor(sorted.length / 2);\n  if (sorted.length === 0) return null;\n  return sorted.length % 2 === 1 ? (sorted[middle] ?? null) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;\n}\n",
        },
      ],
      tests: [
        {
          path: "test/median.test.ts",
          language: "typescript",
          content:
            'it("is the mean of the two middle numbers", () => {\n  expect(median([4, 1, 3, 2])).toBe(2.5);\n});\n',
        },
      ],
      explanation:
        "The function sorts a copy of the numbers and takes the middle one, or the mean of the two middle ones; an empty list has no median.",
    },
    worse: {
      files: [
        {
          path: "src/median.ts",
          language: "typescript",
          content:
            "export function median(a) {\n  // TODO: implement this\n  throw new Error('not implemented');\n}\n",
        },
      ],
      explanation: "A function for the median of numbers.",
    },
  },
  {
    task_type: "code_debugging",
    description: "Find out why sumTotals fails with a TypeError and fix it",
    input_data: { trace: TRACE, code: BUGGY },
    better: {
      diagnosis:
        "sumTotals in src/totals.ts throws the TypeError in its last turn: the loop runs one step too far, so orders[i] is undefined there.",
      root_cause:
        "The condition i <= orders.length lets i reach the length of the array, because indices end at length - 1.",
      fix: {
        patch:
          "--- a/src/totals.ts\n+++ b/src/totals.ts\n@@ -3,1 +3,1 @@\n-  for (let i = 0; i <= orders.length; i++) {\n+  for (let i = 0; i < orders.length; i++) {\n",
      },
      verification:
        "A test that sums two orders, and one with an empty list, fails before the fix and passes after it.",
      confidence: 0.97,
    },
    worse: {
      diagnosis: "Something goes wrong when the sum is taken and fails.",
      root_cause: "Bad data.",
      fix: {
        files: [
          {
            path: "src/totals.ts",
            language: "typescript",
            content:
              "export function sumTotals(orders) {\n  try { return orders.reduce((s, o) => s + o.total, 0); } catch (e) {}\n}\n",
          },
        ],
      },
      confidence: 0.9,
    },
  },
  {
    task_type: "data_analysis",
    description: "Analyse how revenue and units develop by region",
    input_data: SALES,
    better: {
      answer:
        "Revenue in the north rose by 25 % from 2400 to 3000, while the south fell by 23 % from 1500 to 1150; units moved the same way, which suggests that demand and not price is behind it.",
      findings: [
        {
          text: "Region north: units rose from 120 to 150 between month 2026-01 and 2026-02.",
          columns: ["units", "region"],
        },
        { text: "Region south: units fell from 80 to 60.", columns: ["units"] },
        { text: "Revenue per unit stayed near 20 in both regions.", columns: ["revenue"] },
      ],
      caveats: ["Two months are too few for a trend."],
    },
    worse: {
      answer:
        "Revenue by region develops differently. Some regions do better than others. It would be good to look closer.",
      findings: [{ text: "Regions differ." }],
    },
  },
  {
    task_type: "documentation",
    description: "Document the client library for readers who never saw it",
    input_data: {
      source:
        "export function connect(url: string): Client\nexport class Client { send(message: string): Promise<void> }\nexport function disconnect(client: Client): void",
    },
    better: {
      markdown:
        "# Client library\n\nConnects to a server and sends messages.\n\n## Functions\n\n- `connect(url)` opens a connection and returns a `Client`. It fails when the url is not valid.\n- `disconnect(client)` closes it. Calling it twice does nothing.\n\n## Client\n\n`send(message)` sends one message and waits until the server has taken it; the promise rejects when the connection is lost.\n\n## Example\n\n```ts\nconst client = connect('wss://a.example');\nawait client.send('hello');\ndisconnect(client);\n```\n",
    },
    worse: {
      markdown:
        "The client library has some functions for readers. Use it to send things. See the source for everything else about the client.",
    },
  },
  {
    task_type: "testing",
    description: "Write tests for the function parseAmount that reads amounts of money",
    better: {
      files: [
        {
          path: "amount.test.ts",
          language: "typescript",
          content:
            'it("reads an amount with cents", () => {\n  expect(parseAmount("12.50")).toBe(1250);\n});\nit("refuses an empty amount", () => {\n  expect(parseAmount("")).toBeNull();\n});\nit("refuses an invalid amount of money", () => {\n  expect(parseAmount("abc")).toBeNull();\n});\n',
        },
      ],
      cases: [{ title: "an amount with cents", expected: "1250" }],
    },
    worse: {
      files: [
        {
          path: "amount.test.ts",
          language: "typescript",
          content: 'it("works", async () => {\n  parseAmount("12");\n  await sleep(500);\n});\n',
        },
      ],
      cases: [{ title: "amount", expected: "12" }],
    },
  },
  {
    task_type: "deployment",
    description: "Plan the deployment of version 2.3.1 of the billing service to production",
    better: {
      prerequisites: ["A backup of the billing database from today"],
      steps: [
        {
          action: "Build the image of the billing service",
          command: "docker build -t billing:2.3.1 .",
        },
        { action: "Run the migrations in production", command: "npm run migrate" },
        {
          action: "Roll out version 2.3.1",
          command: "kubectl set image deploy/billing billing=billing:2.3.1",
        },
      ],
      verification: ["The health check answers 200 for five minutes"],
      rollback: ["kubectl rollout undo deploy/billing"],
    },
    worse: {
      steps: [
        {
          action: "Deploy the billing service to production with password=hunter2hunter2",
          command: "docker run billing:latest",
        },
      ],
    },
  },
  {
    task_type: "configuration",
    description: "Write the logging configuration: level `warn`, `max_files` 5 and rotation by day",
    better: {
      files: [
        {
          path: "logging.yaml",
          language: "yaml",
          content:
            "logging:\n  # Less noise in production.\n  level: warn\n  rotation: day\n  max_files: 5\n",
        },
      ],
      explanation:
        "Logging starts at the level warn; files rotate by day and five of them are kept, because older ones are of no use.",
    },
    worse: {
      files: [{ path: "logging.yaml", language: "yaml", content: "logging:\n  level: changeme\n" }],
      explanation: "Logging configuration.",
    },
  },
  {
    task_type: "monitoring",
    description: "Check the state of the shop and its API",
    input_data: { urls: ["https://shop.example/", "https://api.example/health"] },
    better: {
      status: "degraded",
      observations: [
        {
          target: "https://shop.example/",
          text: "The shop is up; p95 latency is 180 ms, under the threshold of 500 ms.",
          latency_ms: 180,
        },
        {
          target: "https://api.example/health",
          text: "The API is degraded: p95 latency is 900 ms, over the threshold of 500 ms.",
          latency_ms: 900,
        },
      ],
      thresholds: ["p95 latency 500 ms"],
      recommendations: ["Investigate the database of the API first."],
    },
    worse: {
      status: "unknown",
      observations: [{ target: "the shop", text: "The state of the shop and its API seems fine." }],
      recommendations: [],
    },
  },
  {
    task_type: "research",
    description: "How efficient is the heat pump, measured and promised?",
    input_data: { documents: DOCUMENTS },
    better: {
      answer:
        "Measured, the heat pump reached a coefficient of performance of 3.4 in January [field-report]. The vendor promises 4.1, but at plus 7 degrees [vendor-sheet], so the two can't be compared directly.",
      citations: [
        {
          document_id: "field-report",
          quote: "reached a coefficient of performance of 3.4 in January",
        },
        {
          document_id: "vendor-sheet",
          quote: "promises a coefficient of performance of 4.1 at plus 7 degrees",
        },
      ],
    },
    worse: {
      answer:
        "Heat pumps are an efficient way of heating. The heat pump was measured and is as efficient as promised. Many people find that a pump saves money. It depends on many things.",
      citations: [],
    },
  },
  {
    task_type: "general",
    description: "Write a short invitation to the opening of the harbour library on 3 May",
    better: {
      answer:
        "You are warmly invited to the opening of the new harbour library on 3 May at six in the evening. Come and see the reading rooms above the water, meet the librarians, and stay for a glass of wine.",
    },
    worse: {
      answer:
        "Invitation: [insert name] invites you to the opening. The opening is an opening. The opening is an opening. The opening is an opening. TBD.",
    },
  },
];
