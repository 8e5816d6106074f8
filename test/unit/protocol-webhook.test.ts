import { describe, expect, it } from "vitest";

import { signingKey } from "../../src/delivery/signature.ts";
import { faultsOf } from "../../src/protocol/faults.ts";
import {
  webhookPatchSchema,
  webhookRegistrationSchema,
  webhookSecretSchema,
} from "../../src/protocol/webhook.ts";

const HOOK = { url: "https://example.com/hook" };

function pointersOf(registration: unknown): string[] {
  const { error } = webhookRegistrationSchema.safeParse(registration);
  return error === undefined ? [] : faultsOf(error, registration).map(({ pointer }) => pointer);
}

const secretOf = (bytes: number): string => `whsec_${Buffer.alloc(bytes, "a").toString("base64")}`;

describe("webhook_registration", () => {
  it("needs a url and nothing else", () => {
    expect(webhookRegistrationSchema.parse(HOOK)).toEqual({
      ...HOOK,
      schema_version: "2.0",
      events: ["all"],
      ordering: "task",
      timeout: 15,
      active: true,
    });
    expect(pointersOf({})).toEqual(["/url"]);
  });

  it.each<[field: string, inside: unknown[], outside: unknown[]]>([
    ["timeout", [1, 30], [0, 31, 1.5]],
    [
      "retry_policy",
      [{ schedule: [] }, { schedule: Array(20).fill(604_800) }],
      [{ schedule: Array(21).fill(1) }, { schedule: [0] }, {}],
    ],
    ["rate_limit", [{ rate: 0.01 }, { rate: 10_000, burst: 10_000 }], [{ rate: 0 }, {}]],
    [
      "batching",
      [{ max_items: 1 }, { max_items: 100, max_bytes: 1_024 }],
      [{ max_items: 0 }, { max_items: 101 }],
    ],
    ["events", [["task_lifecycle"], ["task_failed", "all"]], [[], ["task_paused"]]],
    ["ordering", ["task", "endpoint", "none"], ["random"]],
    ["headers", [{ "X-Team": "ops" }], [{ "X Team": "ops" }, { "X-Team": "a\r\nb" }]],
    ["final_statuses", [[300, 599]], [[200], [600]]],
  ])("keeps %s in its range", (field, inside, outside) => {
    const isValid = (value: unknown): boolean =>
      pointersOf({ ...HOOK, [field]: value }).length === 0;

    expect(inside.filter((value) => !isValid(value))).toEqual([]);
    expect(outside.filter(isValid)).toEqual([]);
  });

  it("takes at most 20 headers", () => {
    const headers = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, "a"]));

    expect(pointersOf({ ...HOOK, headers: headers(20) })).toEqual([]);
    expect(pointersOf({ ...HOOK, headers: headers(21) })).toEqual(["/headers"]);
  });
});

describe("a signing secret", () => {
  it.each([24, 32, 63, 64])("may hold %i bytes", (bytes) => {
    expect(webhookSecretSchema.safeParse(secretOf(bytes)).success).toBe(true);
  });

  it.each([23, 65, 66])("may not hold %i bytes", (bytes) => {
    expect(webhookSecretSchema.safeParse(secretOf(bytes)).success).toBe(false);
  });
});

describe("the base64 of a signing secret", () => {
  const A = "A".repeat(32);

  it.each([A, `${A}AA`, `${A}AA==`, `${A}AAA`, `${A}AAA=`])("may be %s", async (base64) => {
    const secret = `whsec_${base64}`;

    expect(webhookSecretSchema.safeParse(secret).success).toBe(true);
    await expect(signingKey(secret)).resolves.toBeDefined();
  });

  // A secret that no key can be made of would break every delivery of its endpoint.
  it.each([`${A}A`, `${A}A==`, `${A}AA=`, `${A}AAA==`, `${A}=`])(
    "may not be %s",
    async (base64) => {
      const secret = `whsec_${base64}`;

      expect(webhookSecretSchema.safeParse(secret).success).toBe(false);
      await expect(signingKey(secret)).rejects.toBeInstanceOf(DOMException);
    },
  );
});

describe("a change of a webhook", () => {
  it("resets nothing that it does not name", () => {
    expect(webhookPatchSchema.parse({ name: "ops" })).toEqual({ name: "ops" });
  });

  it("leaves the secret to rotation", () => {
    expect(webhookPatchSchema.safeParse({ secret: secretOf(32) }).success).toBe(false);
  });
});
