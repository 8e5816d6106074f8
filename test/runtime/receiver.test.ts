import { describe, expect, it } from "vitest";

import { bodyText, newReceiver } from "./receiver.ts";

describe("the receiver behind outboundService", () => {
  it("records method, headers and raw body in order of arrival", async () => {
    const receiver = newReceiver();

    await fetch(`${receiver.url}/first`, { method: "POST", body: "één", headers: { "x-a": "1" } });
    await fetch(`${receiver.url}/second`);

    const [first, second] = await receiver.log();
    expect(first).toMatchObject({ method: "POST", headers: { "x-a": "1" } });
    expect(first && bodyText(first)).toBe("één");
    expect(second).toMatchObject({ method: "GET", url: `${receiver.url}/second` });
  });

  it("answers the scripted replies one by one and repeats the last", async () => {
    const receiver = newReceiver();
    await receiver.script([
      { status: 503, headers: { "retry-after": "7" }, body: "busy", delay_ms: 20 },
      { status: 204 },
    ]);

    const busy = await fetch(receiver.url);
    const later = [await fetch(receiver.url), await fetch(receiver.url)];

    expect([busy.status, busy.headers.get("retry-after"), await busy.text()]).toEqual([
      503,
      "7",
      "busy",
    ]);
    expect(later.map((response) => response.status)).toEqual([204, 204]);
  });

  it("keeps mailboxes apart and answers 200 without a script", async () => {
    const [one, other] = [newReceiver(), newReceiver()];

    const response = await fetch(one.url);

    expect(response.status).toBe(200);
    expect(await other.log()).toEqual([]);
  });

  it("lets nothing else out", async () => {
    const response = await fetch("https://example.com/");

    expect(response.status).toBe(599);
  });
});
