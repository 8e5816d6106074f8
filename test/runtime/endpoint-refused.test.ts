import { describe, expect, it } from "vitest";

import { call } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";

interface Refused {
  code: string;
  errors: { pointer: string }[];
}

const register = (url: string) =>
  call<Refused & { webhook_id: string }>("POST", "/v1/webhooks", { url });

/** Addresses that the form of a URL can't tell, with a name for each. */
const REFUSED = [
  ["a private address behind a name", "https://private.dns.test/"],
  ["a private address behind an alias", "https://alias.dns.test/"],
  ["one private address of two", "https://half.dns.test/"],
  ["an IPv4-mapped address", "https://mapped.dns.test/"],
  ["an address in a name", "https://169.254.169.254.nip.io/"],
  ["a name that does not exist", "https://gone.dns.test/"],
  ["a name without an address", "https://empty.dns.test/"],
  // The tests' requests come to https://batuta.test.
  ["Batuta itself", "https://batuta.test/v1/tasks"],
  ["Batuta itself on another port", "https://batuta.test:8443/"],
] as const;

describe("an address that no webhook is sent to", () => {
  it.each(REFUSED)("is refused at registration: %s", async (_what, url) => {
    const { status, body } = await register(url);

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "endpoint_refused", errors: [{ pointer: "/url" }] });
  });

  it.each(REFUSED)("is refused as a new url: %s", async (_what, url) => {
    const receiver = newReceiver();
    const { webhook_id } = (await register(receiver.url)).body;

    const { status, body } = await call<Refused>("PATCH", `/v1/webhooks/${webhook_id}`, { url });

    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "endpoint_refused", errors: [{ pointer: "/url" }] });
    expect((await call("GET", `/v1/webhooks/${webhook_id}`)).body).toMatchObject({
      url: receiver.url,
    });
  });

  it.each(REFUSED)("is refused as a callback_url: %s", async (_what, callback_url) => {
    const { status, body } = await call<Refused>("POST", "/v1/tasks", {
      task_type: "research",
      description: "a task with a callback",
      orchestrator_info: { callback_url },
    });

    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "endpoint_refused",
      errors: [{ pointer: "/orchestrator_info/callback_url" }],
    });
  });
});

describe("an address that is not known to be private", () => {
  it.each([
    ["is public", "https://public.dns.test/"],
    ["can't be looked up", "https://unknown.dns.test/"],
  ])("is taken when it %s", async (_what, url) => {
    expect((await register(url)).status).toBe(201);
  });
});

describe("the challenge over HTTP", () => {
  it("is asked for again by POST verify, and refused with what came back", async () => {
    const receiver = newReceiver();
    await receiver.script([{ status: 503 }, { status: 503 }, { isEcho: true }]);
    const created = await call<{ webhook_id: string }>("POST", "/v1/webhooks", {
      url: receiver.url,
      challenge: true,
    });
    const path = `/v1/webhooks/${created.body.webhook_id}`;

    const failed = await call("POST", `${path}/verify`);
    const resumed = await call("POST", `${path}/resume`);
    const verified = await call("POST", `${path}/verify`);

    expect(created).toMatchObject({ status: 201, body: { state: "paused", is_verified: false } });
    expect(failed).toMatchObject({
      status: 422,
      body: { code: "challenge_failed", status_code: 503 },
    });
    expect(resumed).toMatchObject({ status: 409, body: { code: "endpoint_unverified" } });
    expect(verified).toMatchObject({ status: 200, body: { state: "active", is_verified: true } });
  });
});
