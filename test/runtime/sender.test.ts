import { describe, expect, it } from "vitest";

import { sendRequest } from "../../src/delivery/sender.ts";
import { bodyText, newReceiver } from "./receiver.ts";

const REQUEST = {
  headers: { "x-a": "1" },
  body: new TextEncoder().encode("größe"),
  timeoutMs: 5_000,
};

describe("the sender", () => {
  it("posts the bytes and brings back the answer", async () => {
    const receiver = newReceiver();
    await receiver.script([{ status: 503, headers: { "retry-after": "7" }, body: "busy" }]);

    const answer = await sendRequest({ ...REQUEST, url: receiver.url });

    expect(answer).toEqual({
      status_code: 503,
      fault: null,
      response_body: "busy",
      retry_after: "7",
    });
    const [request] = await receiver.log();
    expect(request).toMatchObject({ method: "POST", headers: { "x-a": "1" } });
    expect(request && bodyText(request)).toBe("größe");
  });

  it("does not follow a redirect", async () => {
    const [receiver, other] = [newReceiver(), newReceiver()];
    await receiver.script([{ status: 307, headers: { location: other.url } }]);

    const answer = await sendRequest({ ...REQUEST, url: receiver.url });

    expect(answer.status_code).toBe(307);
    expect(await other.log()).toEqual([]);
  });

  it("cuts the answer after a thousand characters, never through one", async () => {
    const receiver = newReceiver();
    await receiver.script([{ body: `x${"🚀".repeat(5_000)}` }]);

    const { response_body } = await sendRequest({ ...REQUEST, url: receiver.url });

    expect(response_body).toHaveLength(1_000);
    expect(response_body?.isWellFormed()).toBe(true);
  });

  it("keeps no credential that the answer repeats, also where the cut goes through one", async () => {
    const receiver = newReceiver();
    const headers = { authorization: `Bearer ${"k".repeat(200)}` };
    await receiver.script([{ body: `${"x".repeat(900)}${"k".repeat(200)}` }]);

    const { response_body } = await sendRequest({ ...REQUEST, headers, url: receiver.url });

    expect(response_body).toBe(`${"x".repeat(900)}[redacted]`);
  });

  it("gives up after the timeout", async () => {
    const receiver = newReceiver();
    await receiver.script([{ delay_ms: 500 }]);

    const answer = await sendRequest({ ...REQUEST, url: receiver.url, timeoutMs: 50 });

    expect(answer).toMatchObject({ status_code: null, fault: "timeout" });
  });

  it("calls it the network's fault when no request can be made", async () => {
    const answer = await sendRequest({ ...REQUEST, url: "https://" });

    expect(answer).toMatchObject({ status_code: null, fault: "network" });
  });
});
