import { describe, expect, it } from "vitest";

import { deliveryHeaders, headerFaults } from "../../src/delivery/endpoint-headers.ts";

const FACTS = {
  message_id: "msg_x",
  timestamp: 1_700_000_000,
  signature: "v1,abc",
  batch_size: null,
  encoding: null,
  task_id: "t-1",
  type: "task_started",
  attempt: 3,
  correlation_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  span_id: "00f067aa0ba902b7",
};

describe("headers that a registration may set", () => {
  it.each(["authorization", "Authorization", "x-api-key", "X-Tenant", "user-agent", "accept"])(
    "takes %s",
    (name) => {
      expect(headerFaults([name])).toEqual([]);
    },
  );

  it.each([
    "Host",
    "Content-Length",
    "content-type",
    "Content-Encoding",
    "Transfer-Encoding",
    "connection",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Upgrade",
    "Expect",
    "Proxy-Authorization",
    "webhook-id",
    "Webhook-Signature",
    "x-task-id",
    "X-Notification-Type",
    "x-attempt",
    "x-batch-size",
    "traceparent",
    "tracestate",
    "CF-Connecting-IP",
    "x-forwarded-for",
    "X-Real-IP",
    "forwarded",
    "via",
    "Proxy-Connection",
    "Content-Range",
    "Content-Location",
    "Content-Digest",
    "Max-Forwards",
    "HTTP2-Settings",
    "Early-Data",
    "Alt-Used",
    "CDN-Loop",
    "True-Client-IP",
    "X-Forwarded-Host",
  ])("refuses %s", (name) => {
    expect(headerFaults([name])).toMatchObject([{ name }]);
  });
});

describe("a header that is asked for twice", () => {
  it("is refused where its second spelling stands", () => {
    expect(headerFaults(["X-Key", "x-other", "x-key", "X-KEY"])).toMatchObject([
      { name: "x-key" },
      { name: "X-KEY" },
    ]);
  });
});

describe("headers of an attempt", () => {
  it("name the coding of a body that is sent compressed", () => {
    expect(deliveryHeaders({}, { ...FACTS, encoding: "gzip" })).toMatchObject({
      "content-type": "application/json",
      "content-encoding": "gzip",
    });
  });

  it("are those of the contract", () => {
    expect(deliveryHeaders({}, FACTS)).toEqual({
      "content-type": "application/json",
      "user-agent": "Batuta",
      "webhook-id": "msg_x",
      "webhook-timestamp": "1700000000",
      "webhook-signature": "v1,abc",
      "x-task-id": "t-1",
      "x-notification-type": "task_started",
      "x-attempt": "3",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    });
  });

  it("leave out what is not known", () => {
    const headers = deliveryHeaders({}, { ...FACTS, task_id: null, correlation_id: "" });

    expect(Object.keys(headers)).not.toContain("x-task-id");
    expect(Object.keys(headers)).not.toContain("traceparent");
  });

  it("keep the registration's own, except where ours says something else", () => {
    const headers = deliveryHeaders({ Authorization: "Bearer x", "Webhook-Id": "mine" }, FACTS);

    expect(headers).toMatchObject({ authorization: "Bearer x", "webhook-id": "msg_x" });
  });
});
