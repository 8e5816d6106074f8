import { describe, expect, it } from "vitest";

import {
  brief,
  briefUrl,
  scrubbed,
  withoutCredentials,
  withoutSecrets,
} from "../../src/lib/redact.ts";

describe("what is kept for good", () => {
  it.each([
    ["the key bk_abcdefgh1234 was leaked", "the key [redacted] was leaked"],
    ["Bearer abc.def is short", "Bearer abc.def is short"],
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[redacted]"],
    ["nothing of the kind", "nothing of the kind"],
    ["OpenAI sk-proj-AbCdEf0123456789AbCdEf", "OpenAI [redacted]"],
    ["AKIAIOSFODNN7EXAMPLE of AWS", "[redacted] of AWS"],
    ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[redacted]"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- end", "[redacted] end"],
    ["-----BEGIN PRIVATE KEY----- MIIEcut", "[redacted]"],
    ["the task-force of sk-learn", "the task-force of sk-learn"],
    ["an sk-learn-compatible-estimator", "an sk-learn-compatible-estimator"],
    ["hf_transformers_models_library", "hf_transformers_models_library"],
    ["npm_config_registry_url_value", "npm_config_registry_url_value"],
    ["SG.Singapore.office.building", "SG.Singapore.office.building"],
    [`re_${"9aB"}cD3fG_${"aB3dE6gH9jK2mN5pQ8sT1vW4"} of Resend`, "[redacted] of Resend"],
    ["re_export_authenticationmiddleware", "re_export_authenticationmiddleware"],
    [`SK${"0123456789abcdef".repeat(2)}, Twilio's`, "[redacted], Twilio's"],
    [
      `POST https://hooks.slack.com/services/${"T0123"}/B0456/aB3dE6gH9jK2mN5p failed`,
      "POST https://[redacted] failed",
    ],
    [
      "https://hooks.slack.com/services/ is refused",
      "https://hooks.slack.com/services/ is refused",
    ],
    [`{"routing_key":"${"0123456789abcdef".repeat(2)}"}`, '{"[redacted]"}'],
    ["trace_id=0af7651916cd43dd8448eb211c80319c", "trace_id=0af7651916cd43dd8448eb211c80319c"],
    ["Authorization: Basic QUMwMTIzOmFiY2RlZg==", "Authorization: [redacted]"],
    ["Basic authentication-of-users is on", "Basic authentication-of-users is on"],
  ])("has of %j what is no secret", (text, clean) => {
    expect(withoutSecrets(text)).toBe(clean);
    expect(scrubbed({ a: [{ b: text }], n: 1 })).toEqual({ a: [{ b: clean }], n: 1 });
  });

  it.each([
    ["use this:\nbk_0123456789abcdef", "use this:\n[redacted]"],
    ["\tbk_0123456789abcdef", "\t[redacted]"],
    ["\u0008k_12345678", "\u0008k_12345678"],
    ['"bk_0123456789abcdef"', '"[redacted]"'],
  ])("has of %j what is no secret, whatever JSON makes of it", (text, clean) => {
    expect(scrubbed({ [text]: [{ b: text }] })).toEqual({ [clean]: [{ b: clean }] });
  });

  it("has names as they are, even those that mean something", () => {
    const fields: Record<string, unknown> = JSON.parse('{"__proto__":{"a":"bk_0123456789"}}');

    expect(JSON.stringify(scrubbed(fields))).toBe('{"__proto__":{"a":"[redacted]"}}');
  });

  it("has of a long value how long it is", () => {
    expect(brief("x".repeat(4_094))).toHaveLength(4_094);
    expect(brief("x".repeat(4_095))).toEqual({ omitted_characters: 4_097 });
    expect(brief(undefined)).toBeUndefined();
  });

  it.each([
    ["https://user:pw@hooks.example.com/T0/B0/secret?token=x#y", "https://hooks.example.com/…"],
    ["https://hooks.example.com:8443/", "https://hooks.example.com:8443/…"],
    ["no address", "…"],
  ])("has of the address %s where it leads", (url, shown) => {
    expect(briefUrl(url)).toBe(shown);
  });
});

describe("what is kept long after the work", () => {
  it.each([
    ["login with password=hunter2, then go on", "login with password=[redacted], then go on"],
    ['{"db_password": "two words", "port": 80}', '{"db_password": [redacted], "port": 80}'],
    ["API key: abcdefgh", "API key: [redacted]"],
    ["auth_token=abc123&page=2", "auth_token=[redacted]&page=2"],
    ["the password is hunter2", "the password is [redacted]"],
    ["la contraseña es hunter2", "la contraseña es [redacted]"],
    ["postgres://u:secretpw@db/x", "postgres://[redacted]@db/x"],
    [
      "https://hooks.example.com/T0/aB3dE6gH9jK2mN5pQ8sT1vW4",
      "https://hooks.example.com/T0/[redacted]",
    ],
    ["Bearer abcdefgh12345678", "[redacted]"],
    ["Unexpected token: else; set max_tokens=512", "Unexpected token: else; set max_tokens=512"],
    ["the token is 5 minutes old", "the token is 5 minutes old"],
    [
      "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
      "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    ],
    ["mail ann@example.com about it", "mail ann@example.com about it"],
    ["Authorization: Basic YWxhZGRpbjpvcGVu", "Authorization: [redacted]"],
    ["DB_PASS=hunter2abc and pass: hunter2", "DB_PASS=[redacted] and pass: [redacted]"],
    ["secret_key=wJal/xyz", "secret_key=[redacted]"],
    ['"password": "it\\"s secret", ok', '"password": [redacted], ok'],
    ["authToken: abc12345", "authToken: [redacted]"],
    ["the pin is 4821", "the pin is [redacted]"],
  ])("has of %j what opens nothing", (text, clean) => {
    expect(withoutCredentials(text)).toBe(clean);
  });

  it.each([
    "Turkey: 85 million people",
    "monkey: 3, hockey: 3:2, Whiskey: 40% vol",
    "max_token: 4096, token: 1200",
    "Primary key: order_id2",
    "unexpected token: 3",
    "GPIO pin is GPIO17",
    "Password: must have 8 characters",
    "secret: false",
    "clone ssh://git@github.com/a/b",
    "getUserById123FromDatabaseAndReturn",
    "Order_2024_01_15_Warehouse_Oslo",
  ])("leaves %j as it is", (text) => {
    expect(withoutCredentials(text)).toBe(text);
  });

  it("takes no longer for what is made to take long", () => {
    const hostile = ["password", "key:", "a-", "://a", "-----BEGIN PRIVATE KEY-----", "is ", '"'];
    const began = performance.now();

    for (const part of hostile) withoutCredentials(part.repeat(32_000 / part.length));

    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
