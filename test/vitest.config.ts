import path from "node:path";

import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

import { createOutbound } from "./outbound.ts";
import { JWT_VARIABLES, SEAL_KEY } from "./sealer.ts";

/** How long a test looks again for what is to come: objects, queues and alarms take their time on a busy machine. */
const PATIENCE = { poll: { timeout: 15_000 } };

const root = path.join(import.meta.dirname, "..");
const inTest = (name: string) => path.join(import.meta.dirname, name);

/** Queues as in wrangler.toml, less the waiting: a batch goes out at once. */
function queueConsumers() {
  const maxBatchTimeout = 0.05;
  const deadLetterQueue = "batuta-dead-letters";
  return {
    "batuta-events": { maxBatchSize: 100, maxBatchTimeout, maxRetries: 10, deadLetterQueue },
    "batuta-events-1": { maxBatchSize: 100, maxBatchTimeout, maxRetries: 10, deadLetterQueue },
    "batuta-retries-critical": {
      maxBatchSize: 10,
      maxBatchTimeout,
      maxRetries: 10,
      deadLetterQueue,
    },
    "batuta-retries": { maxBatchSize: 100, maxBatchTimeout, maxRetries: 10, deadLetterQueue },
    "batuta-retries-bulk": { maxBatchSize: 100, maxBatchTimeout, maxRetries: 10, deadLetterQueue },
    "batuta-executions": { maxBatchSize: 5, maxBatchTimeout, maxRetries: 3, deadLetterQueue },
    "batuta-pushes": { maxBatchSize: 6, maxBatchTimeout, maxRetries: 3, deadLetterQueue },
    [deadLetterQueue]: { maxBatchSize: 50, maxBatchTimeout },
  };
}

const ADMIN_KEY = "bk_test_admin";
// wrangler.toml requires them as secrets, and the plugin would warn of a clone that has no .dev.vars.
process.env["BATUTA_ADMIN_KEY"] ??= ADMIN_KEY;
process.env["BATUTA_SEAL_KEY"] ??= SEAL_KEY;

/** The source of what wrangler uploads beside the entry, so that tests run what is written and coverage counts it. */
const LAZY = {
  find: /^\.\/executor\.lazy\.mjs$/,
  replacement: path.join(root, "src/executor.lazy.ts"),
};

/** Per cent of src that the suite must run; what is missing is named in .coverage/coverage-summary.json. */
const COVERAGE = { statements: 94, lines: 95, functions: 93, branches: 87 };

export default defineConfig(async () => ({
  root,
  test: {
    maxWorkers: 2,
    // The gate of `npm test`: what both projects together run of src.
    coverage: {
      provider: "istanbul" as const,
      include: ["src/**/*.ts"],
      exclude: [
        "src/**/*.d.ts",
        "src/**/*.d.mts",
        // What only a browser runs is judged in one.
        "src/console/*.ts",
        "src/console/{parts,pages}/**",
        "src/console/lib/preferences.ts",
      ],
      reporter: ["text-summary", "json-summary"],
      reportsDirectory: path.join(root, ".coverage"),
      thresholds: COVERAGE,
    },
    projects: [
      // Pure files keep nothing between tests, so they need no worker each.
      {
        resolve: { alias: [LAZY] },
        test: {
          name: "unit",
          root,
          include: ["test/unit/**/*.test.ts"],
          expect: PATIENCE,
          isolate: false,
          // Properties and whole trees take their time on a busy machine.
          testTimeout: 20_000,
        },
      },
      // The real objects in Node, on a clock and a network of the simulation's own.
      {
        resolve: {
          alias: [
            LAZY,
            {
              find: "cloudflare:workers",
              replacement: inTest("simulation/cloudflare-workers.ts"),
            },
          ],
        },
        test: {
          name: "simulation",
          root,
          include: ["test/simulation/**/*.test.ts"],
          expect: PATIENCE,
          // Whole lives take their time on a busy machine.
          testTimeout: 20_000,
        },
      },
      // The real server from outside. Not beside `npm run bench`: each would slow the other.
      {
        test: {
          name: "chaos",
          root,
          include: ["test/chaos/**/*.test.ts"],
          expect: PATIENCE,
        },
      },
      // The console in a real browser, on a real server.
      {
        test: {
          name: "browser",
          root,
          include: ["test/browser/**/*.test.ts"],
          expect: PATIENCE,
          globalSetup: [inTest("browser/setup.ts")],
        },
      },
      {
        resolve: { alias: [LAZY] },
        plugins: [
          cloudflareTest({
            wrangler: { configPath: path.join(root, "wrangler.toml") },
            remoteBindings: false,
            miniflare: {
              // For exports.default.queue(), the only way to see a retry's delay.
              compatibilityFlags: ["service_binding_extra_handlers"],
              bindings: {
                // Whatever .dev.vars says on this machine.
                BATUTA_ADMIN_KEY: ADMIN_KEY,
                BATUTA_SEAL_KEY: SEAL_KEY,
                ...JWT_VARIABLES,
                // What a test does not ask for costs no row.
                VALIDATION_SAMPLE: "0",
                // How long test/runtime/fuzz goes on, and what it draws.
                FUZZ_CASES: process.env["FUZZ_CASES"] ?? "900",
                FUZZ_SEED: process.env["FUZZ_SEED"] ?? "6",
                TEST_MIGRATIONS: await readD1Migrations(path.join(root, "migrations")),
              },
              // Under another name than DB_1: an installation has one database unless its operator binds more.
              d1Databases: { TEST_DATABASE: "second" },
              // A second queue of news, by which it would be named.
              queueProducers: { TEST_EVENTS: { queueName: "batuta-events-1" } },
              // Under another name than ARCHIVE: an installation has none unless its operator binds one.
              r2Buckets: { TEST_ARCHIVE: "archive" },
              outboundService: createOutbound(),
              queueConsumers: queueConsumers(),
            },
          }),
        ],
        test: {
          name: "runtime",
          root,
          include: ["test/runtime/**/*.test.ts"],
          expect: PATIENCE,
          setupFiles: [inTest("runtime/setup.ts")],
          // Real alarms and queues take their time on a busy machine.
          testTimeout: 40_000,
        },
      },
    ],
  },
}));
