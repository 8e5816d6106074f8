import { describe, expect, it } from "vitest";

import { readConfig } from "../../src/config.ts";

describe("the configuration", () => {
  it("has defaults for everything", () => {
    expect(readConfig({})).toEqual({ adminKey: null, allowLocalEndpoints: false, isSamOn: true });
  });

  it("reads its variables and ignores all others", () => {
    const variables = {
      BATUTA_ADMIN_KEY: "bk_0123456789abcdef",
      ALLOW_LOCAL_ENDPOINTS: "true",
      BATUTA_SAM: "off",
      PATH: "/bin",
    };

    expect(readConfig(variables)).toEqual({
      adminKey: "bk_0123456789abcdef",
      allowLocalEndpoints: true,
      isSamOn: false,
    });
  });

  it.each([{ ALLOW_LOCAL_ENDPOINTS: "yes" }, { BATUTA_SAM: "" }, { BATUTA_ADMIN_KEY: "" }])(
    "refuses %j, naming the variable",
    (variables) => {
      expect(() => readConfig(variables)).toThrow(Object.keys(variables)[0]);
    },
  );
});
