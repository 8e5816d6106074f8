import { describe, expect, it } from "vitest";

import { accountOfAddress } from "../../src/access/address.ts";

describe("the account of an address", () => {
  it.each([
    ["203.0.113.9", "203.0.113.9"],
    [" 203.0.113.9 ", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
    ["::1", "0:0:0:0::/64"],
    [undefined, "unknown"],
    ["", "unknown"],
    ["somewhere", "unknown"],
    ["203.0.113.9, 198.51.100.1", "unknown"],
  ])("of %j is %s", (header, account) => {
    expect(accountOfAddress(header)).toBe(account);
  });
});
