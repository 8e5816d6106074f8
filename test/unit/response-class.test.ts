import { describe, expect, it } from "vitest";

import { classifyFault, classifyStatus, isPausing } from "../../src/delivery/response-class.ts";

describe("what an answer means", () => {
  it.each([
    [200, "delivered", null],
    [201, "delivered", null],
    [202, "delivered", null],
    [204, "delivered", null],
    [299, "delivered", null],
    [300, "retry", "redirect"],
    [301, "retry", "redirect"],
    [302, "retry", "redirect"],
    [304, "retry", "redirect"],
    [307, "retry", "redirect"],
    [308, "retry", "redirect"],
    [400, "retry", "client_error"],
    [401, "retry", "client_error"],
    [403, "retry", "client_error"],
    [404, "retry", "client_error"],
    [405, "retry", "client_error"],
    [408, "retry", "request_timeout"],
    [409, "retry", "client_error"],
    [410, "gone", "gone"],
    [413, "retry", "client_error"],
    [422, "retry", "client_error"],
    [425, "retry", "too_early"],
    [429, "retry", "rate_limited"],
    [500, "retry", "server_error"],
    [501, "retry", "server_error"],
    [502, "retry", "server_error"],
    [503, "retry", "server_error"],
    [504, "retry", "server_error"],
    [520, "retry", "connection"],
    [521, "retry", "connection"],
    [522, "retry", "connection"],
    [523, "retry", "connection"],
    [524, "retry", "timeout"],
    [525, "retry", "tls"],
    [526, "retry", "tls"],
    [530, "retry", "dns"],
    [599, "retry", "server_error"],
  ] as const)("status %i is %s (%s)", (status, verdict, error_class) => {
    expect(classifyStatus(status, [])).toEqual({ verdict, error_class });
  });

  it.each([400, 404, 422, 500, 301])(
    "status %i is final where the registration says so",
    (status) => {
      expect(classifyStatus(status, [400, 404, 422, 500, 301]).verdict).toBe("final");
    },
  );

  it("disables on 410 whatever the registration calls final", () => {
    expect(classifyStatus(410, [410]).verdict).toBe("gone");
  });

  it.each(["timeout", "network"] as const)("no answer (%s) is tried again", (fault) => {
    expect(classifyFault(fault)).toEqual({ verdict: "retry", error_class: fault });
  });

  it("lets only 429 and 503 pause the endpoint", () => {
    const pausing = Array.from({ length: 500 }, (_, index) => index + 100).filter(isPausing);

    expect(pausing).toEqual([429, 503]);
  });
});
