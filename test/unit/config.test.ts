import { describe, expect, it } from "vitest";

import { readConfig } from "../../src/config.ts";

/** As short as a key may be. */
const KEY = "0123456789abcdef0123456789abcdef";
const OTHER_KEY = "another one that is a little longer";

/** A model on the operator's own machine. */
const OLLAMA = {
  provider: "openai_compatible",
  base_url: "http://127.0.0.1:11434/v1",
  name: "llama3.2",
  locality: "local",
  context_tokens: 8_192,
};

describe("the configuration", () => {
  it("has defaults for everything but the key that seals", () => {
    expect(readConfig({ BATUTA_SEAL_KEY: KEY })).toEqual({
      adminKey: null,
      sealKeys: [KEY],
      allowLocalEndpoints: false,
      limitsFactor: 1,
      corsOrigins: [],
      ownOrigins: [],
      isSamOn: true,
      models: {},
      retention: { settledDays: 7, undeliveredDays: 30 },
      endPhases: {},
      taskRetention: { objectDays: 7, historyDays: 365, removedDays: null },
      historyShards: [],
      backups: { everyHours: 24, keptDays: 14 },
      jwt: null,
      isEmbeddingHosted: false,
      validationSample: 100,
    });
  });

  it("reads its variables and ignores all others", () => {
    const variables = {
      BATUTA_ADMIN_KEY: "bk_0123456789abcdef",
      BATUTA_SEAL_KEY: `${KEY}, ${OTHER_KEY}`,
      ALLOW_LOCAL_ENDPOINTS: "true",
      LIMITS_FACTOR: "2.5",
      CORS_ORIGINS: "https://console.example.com, https://other.example.com:8443",
      BATUTA_ORIGINS: "https://batuta.example.com",
      BATUTA_SAM: "off",
      BATUTA_MODELS: JSON.stringify({ llama: OLLAMA }),
      WEBHOOK_RETENTION_DAYS: "14",
      WEBHOOK_UNDELIVERED_DAYS: "90",
      END_PHASE_LIMITS: '{"cleanup": 60, "types": {"deployment": {"cleanup": 300}}}',
      TASK_RETENTION_DAYS: "1",
      HISTORY_RETENTION_DAYS: "30",
      REMOVED_RETENTION_DAYS: "400",
      HISTORY_SHARDS: "DB_1, DB_2",
      BACKUP_EVERY_HOURS: "6",
      BACKUP_RETENTION_DAYS: "90",
      JWT_ISSUER: "https://id.example",
      JWT_AUDIENCE: "batuta",
      JWT_JWKS_URL: "http://127.0.0.1/jwks",
      JWT_TENANT_CLAIM: "org",
      BATUTA_EMBEDDINGS: "workers_ai",
      VALIDATION_SAMPLE: "1",
      PATH: "/bin",
    };

    expect(readConfig(variables)).toEqual({
      adminKey: "bk_0123456789abcdef",
      sealKeys: [KEY, OTHER_KEY],
      allowLocalEndpoints: true,
      limitsFactor: 2.5,
      corsOrigins: ["https://console.example.com", "https://other.example.com:8443"],
      ownOrigins: ["https://batuta.example.com"],
      isSamOn: false,
      models: {
        llama: {
          ...OLLAMA,
          schema_version: expect.any(String),
          capabilities: ["text"],
          max_output_tokens: 4_096,
          price: { input_usd_per_mtok: 0, output_usd_per_mtok: 0 },
          tier: 3,
          prior_quality: 0.7,
          strengths: {},
          typical_latency_s: 10,
          is_default: false,
          is_enabled: true,
        },
      },
      retention: { settledDays: 14, undeliveredDays: 90 },
      endPhases: { cleanup: 60, types: { deployment: { cleanup: 300 } } },
      taskRetention: { objectDays: 1, historyDays: 30, removedDays: 400 },
      historyShards: ["DB_1", "DB_2"],
      backups: { everyHours: 6, keptDays: 90 },
      jwt: {
        issuer: "https://id.example",
        audience: "batuta",
        jwksUrl: "http://127.0.0.1/jwks",
        tenantClaim: "org",
      },
      isEmbeddingHosted: true,
      validationSample: 1,
    });
  });

  it("lifts no limit where it does not run on a developer's machine", () => {
    expect(readConfig({ BATUTA_SEAL_KEY: KEY, LIMITS_FACTOR: "1000" }).limitsFactor).toBe(1);
  });

  it.each([
    { JWT_ISSUER: "https://id.example" },
    { JWT_ISSUER: "i", JWT_AUDIENCE: "a" },
    { JWT_ISSUER: "i", JWT_AUDIENCE: "", JWT_JWKS_URL: "https://id.example/jwks" },
    { JWT_JWKS_URL: "http://id.example/jwks", JWT_ISSUER: "i", JWT_AUDIENCE: "a" },
    { JWT_JWKS_URL: "jwks", JWT_ISSUER: "i", JWT_AUDIENCE: "a" },
    { ALLOW_LOCAL_ENDPOINTS: "yes" },
    { BATUTA_SAM: "" },
    { LIMITS_FACTOR: "0" },
    { LIMITS_FACTOR: "-1" },
    { LIMITS_FACTOR: "many" },
    { CORS_ORIGINS: "*" },
    { BATUTA_ORIGINS: "batuta.example.com" },
    { CORS_ORIGINS: "http://console.example.com" },
    { CORS_ORIGINS: "https://console.example.com/" },
    { CORS_ORIGINS: "https://Console.example.com" },
    { CORS_ORIGINS: "https://*.example.com" },
    { CORS_ORIGINS: "https://a.example.com," },
    { BATUTA_ADMIN_KEY: "" },
    { HISTORY_SHARDS: "history" },
    { HISTORY_SHARDS: "DB_1,DB_1" },
    { HISTORY_SHARDS: "DB_1," },
    { WEBHOOK_RETENTION_DAYS: "6" },
    { WEBHOOK_UNDELIVERED_DAYS: "a week" },
    { END_PHASE_LIMITS: "60" },
    { END_PHASE_LIMITS: "{cleanup: 60}" },
    { END_PHASE_LIMITS: '{"cleanup": 301}' },
    { END_PHASE_LIMITS: '{"types": {"cooking": {"cleanup": 30}}}' },
    { BATUTA_MODELS: "llama" },
    { BATUTA_MODELS: "[]" },
    { BATUTA_MODELS: JSON.stringify({ llama: { ...OLLAMA, base_url: undefined } }) },
    { BATUTA_MODELS: JSON.stringify({ llama: { ...OLLAMA, base_url: "127.0.0.1:11434" } }) },
    { BATUTA_MODELS: JSON.stringify({ llama: { ...OLLAMA, cost: 1 } }) },
    { BATUTA_MODELS: JSON.stringify({ "a b": OLLAMA }) },
    { BATUTA_MODELS: JSON.stringify({ builtin: OLLAMA }) },
    { TASK_RETENTION_DAYS: "0" },
    { TASK_RETENTION_DAYS: "3651" },
    { HISTORY_RETENTION_DAYS: "0" },
    { REMOVED_RETENTION_DAYS: "0" },
    { REMOVED_RETENTION_DAYS: "-1" },
    { REMOVED_RETENTION_DAYS: "for ever" },
    { BACKUP_EVERY_HOURS: "daily" },
    { BACKUP_RETENTION_DAYS: "0" },
    { VALIDATION_SAMPLE: "-1" },
    { VALIDATION_SAMPLE: "all" },
    { HISTORY_RETENTION_DAYS: "30", TASK_RETENTION_DAYS: "31" },
    { REMOVED_RETENTION_DAYS: "6", HISTORY_RETENTION_DAYS: "30" },
    { REMOVED_RETENTION_DAYS: "60", WEBHOOK_RETENTION_DAYS: "419" },
    { REMOVED_RETENTION_DAYS: "60", WEBHOOK_UNDELIVERED_DAYS: "419" },
    { BATUTA_SEAL_KEY: undefined },
    { BATUTA_SEAL_KEY: "" },
    { BATUTA_SEAL_KEY: KEY.slice(1) },
    { BATUTA_SEAL_KEY: `${KEY},short` },
    { BATUTA_SEAL_KEY: `${KEY},` },
  ])("refuses %j, naming the variable", (variables) => {
    const read = () => readConfig({ BATUTA_SEAL_KEY: KEY, ...variables });

    expect(read).toThrow(Object.keys(variables)[0]);
  });

  it("remembers removed tasks for ever where nothing is said, as an empty variable does", () => {
    const read = (REMOVED_RETENTION_DAYS: string) =>
      readConfig({ BATUTA_SEAL_KEY: KEY, REMOVED_RETENTION_DAYS }).taskRetention.removedDays;

    expect([read(""), read("1"), read("3650")]).toEqual([null, 1, 3_650]);
  });

  it("takes removed tasks that are remembered as long as an endpoint may have news of them", () => {
    const read = (variables: Record<string, string>) =>
      readConfig({ BATUTA_SEAL_KEY: KEY, ...variables }).taskRetention.removedDays;

    expect(read({ REMOVED_RETENTION_DAYS: "7", HISTORY_RETENTION_DAYS: "30" })).toBe(7);
    expect(read({ REMOVED_RETENTION_DAYS: "60", WEBHOOK_RETENTION_DAYS: "418" })).toBe(60);
    expect(read({ WEBHOOK_UNDELIVERED_DAYS: "3650" })).toBeNull();
  });

  it.each(['{"llama": {"api_key": "sk-secret"}', '{"llama": {"api_key": ["sk-secret"]}}'])(
    "says what is wrong with models without repeating their keys: %s",
    (BATUTA_MODELS) => {
      const read = () => readConfig({ BATUTA_SEAL_KEY: KEY, BATUTA_MODELS });

      expect(read).toThrow("BATUTA_MODELS");
      expect(read).not.toThrow("sk-secret");
    },
  );
});
