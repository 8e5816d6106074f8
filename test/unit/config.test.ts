import { describe, expect, it } from "vitest";

import { readConfig } from "../../src/config.ts";

/** As short as a key may be. */
const KEY = "0123456789abcdef0123456789abcdef";
const OTHER_KEY = "another one that is a little longer";

describe("the configuration", () => {
  it("has defaults for everything but the key that seals", () => {
    expect(readConfig({ BATUTA_SEAL_KEY: KEY })).toEqual({
      adminKey: null,
      sealKeys: [KEY],
      allowLocalEndpoints: false,
      isSamOn: true,
      retention: { settledDays: 7, undeliveredDays: 30 },
      endPhases: {},
      taskRetention: { objectDays: 7, historyDays: 365 },
      validationSample: 100,
    });
  });

  it("reads its variables and ignores all others", () => {
    const variables = {
      BATUTA_ADMIN_KEY: "bk_0123456789abcdef",
      BATUTA_SEAL_KEY: `${KEY}, ${OTHER_KEY}`,
      ALLOW_LOCAL_ENDPOINTS: "true",
      BATUTA_SAM: "off",
      WEBHOOK_RETENTION_DAYS: "14",
      WEBHOOK_UNDELIVERED_DAYS: "90",
      END_PHASE_LIMITS: '{"cleanup": 60, "types": {"deployment": {"cleanup": 300}}}',
      TASK_RETENTION_DAYS: "1",
      HISTORY_RETENTION_DAYS: "30",
      VALIDATION_SAMPLE: "1",
      PATH: "/bin",
    };

    expect(readConfig(variables)).toEqual({
      adminKey: "bk_0123456789abcdef",
      sealKeys: [KEY, OTHER_KEY],
      allowLocalEndpoints: true,
      isSamOn: false,
      retention: { settledDays: 14, undeliveredDays: 90 },
      endPhases: { cleanup: 60, types: { deployment: { cleanup: 300 } } },
      taskRetention: { objectDays: 1, historyDays: 30 },
      validationSample: 1,
    });
  });

  it.each([
    { ALLOW_LOCAL_ENDPOINTS: "yes" },
    { BATUTA_SAM: "" },
    { BATUTA_ADMIN_KEY: "" },
    { WEBHOOK_RETENTION_DAYS: "6" },
    { WEBHOOK_UNDELIVERED_DAYS: "a week" },
    { END_PHASE_LIMITS: "60" },
    { END_PHASE_LIMITS: "{cleanup: 60}" },
    { END_PHASE_LIMITS: '{"cleanup": 301}' },
    { END_PHASE_LIMITS: '{"types": {"cooking": {"cleanup": 30}}}' },
    { TASK_RETENTION_DAYS: "0" },
    { TASK_RETENTION_DAYS: "3651" },
    { HISTORY_RETENTION_DAYS: "29" },
    { VALIDATION_SAMPLE: "-1" },
    { VALIDATION_SAMPLE: "all" },
    { HISTORY_RETENTION_DAYS: "30", TASK_RETENTION_DAYS: "31" },
    { BATUTA_SEAL_KEY: undefined },
    { BATUTA_SEAL_KEY: "" },
    { BATUTA_SEAL_KEY: KEY.slice(1) },
    { BATUTA_SEAL_KEY: `${KEY},short` },
    { BATUTA_SEAL_KEY: `${KEY},` },
  ])("refuses %j, naming the variable", (variables) => {
    const read = () => readConfig({ BATUTA_SEAL_KEY: KEY, ...variables });

    expect(read).toThrow(Object.keys(variables)[0]);
  });
});
