import { describe, expect, it } from "vitest";

import { copied } from "../../src/console/lib/clipboard.ts";
import {
  clockTime,
  count,
  distance,
  duration,
  instantOf,
  money,
  percent,
  prettyJson,
  safeUrl,
  shortMoney,
} from "../../src/console/lib/format.ts";
import { withLocalTimes } from "../../src/console/lib/instants.ts";

/** Intl puts spaces that do not break. */
const plain = (text: string): string => text.replaceAll(/[\u00a0\u202f]/g, " ");

describe("numbers of the console", () => {
  it.each([
    [0, "en", "0"],
    [12_345, "en", "12,345"],
    [12_345, "es", "12.345"],
    [1_234_567, "en", "1.2M"],
    [0.256, "en", "0.26"],
  ] as const)("count %d in %s as %s", (value, lang, said) => {
    expect(plain(count(value, lang))).toBe(said);
  });

  it.each([
    [0, "en", "$0.00"],
    [12.3, "en", "$12.30"],
    [0.0042, "en", "$0.0042"],
    [12.3, "es", "12,30 $"],
  ] as const)("say %d dollars in %s as %s", (value, lang, said) => {
    expect(plain(money(value, lang))).toBe(said);
  });

  it("shorten dollars where there is little room", () => {
    expect(shortMoney(0.0425, "en")).toBe("$0.043");
    expect(shortMoney(12_400, "en")).toBe("$12K");
  });

  it.each([
    [1, "100%"],
    [0.99996, "99.996%"],
    [0.9999999, "99.999%"],
    [0.9966, "99.6%"],
    [0.5, "50%"],
    [0.0002, "0.02%"],
    [0, "0%"],
  ])("never say that %d is all or nothing when it is not: %s", (share, said) => {
    expect(percent(share, "en")).toBe(said);
  });
});

describe("times of the console", () => {
  it.each([
    [12, "12 ms"],
    [1_250, "1.3 s"],
    [59_400, "59 s"],
    [125_000, "2 min 5 s"],
    [3_600_000, "1 h"],
    [90_000_000, "1 d 1 h"],
    [-2_000, "-2 s"],
  ])("say %d ms as %s", (ms, said) => {
    expect(duration(ms, "en")).toBe(said);
  });

  it("say how far away an instant is, behind and ahead", () => {
    const now = 1_000_000_000_000;

    expect(distance(now - 180_000, now, "en")).toBe("3 min. ago");
    expect(distance(now + 7_200_000, now, "en")).toBe("in 2 hr.");
    expect(distance(now - 400, now, "es")).toBe("ahora");
  });

  it("know what is no instant", () => {
    expect(instantOf("2026-11-26T10:00:00Z")).toBe(Date.UTC(2026, 10, 26, 10));
    expect(instantOf("tomorrow")).toBeNull();
    expect(instantOf(null)).toBeNull();
  });

  it("put the server's instants into local words, and leave the rest of a text alone", () => {
    const at = Date.UTC(2026, 10, 26, 10);
    const text = "given up at 2026-11-26T10:00:00.000Z, or 2026-13-99T10:00:00Z";

    const said = withLocalTimes(text, at, "en");

    expect(said).toBe(`given up at ${clockTime(at, "en")}, or 2026-13-99T10:00:00Z`);
    expect(withLocalTimes("on 2026-12-26T10:00:00Z", at, "en")).toContain("2026");
  });
});

describe("copying", () => {
  it("says whether it was possible, and never fails", async () => {
    const refused = { writeText: () => Promise.reject(new Error("not allowed")) };
    const allowed = { writeText: () => Promise.resolve() };

    expect(await copied("a", {})).toBe(false);
    expect(await copied("a", { clipboard: refused })).toBe(false);
    expect(await copied("a", { clipboard: allowed })).toBe(true);
  });
});

describe("what comes from outside", () => {
  it.each(["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd", ""])(
    "is no link when it is %j",
    (address) => {
      expect(safeUrl(address)).toBeNull();
    },
  );

  it("is a link when it is http or https", () => {
    expect(safeUrl("https://example.com/a b")).toBe("https://example.com/a%20b");
    expect(safeUrl("http://127.0.0.1:9000")).toBe("http://127.0.0.1:9000/");
  });

  it("is shown as JSON even when it is nothing", () => {
    expect(prettyJson(undefined)).toBe("");
    expect(prettyJson({ a: [1] })).toBe('{\n  "a": [\n    1\n  ]\n}');
  });
});
