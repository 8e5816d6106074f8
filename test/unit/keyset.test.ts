import { describe, expect, it } from "vitest";

import { cursorOf, further, pageOf, placeOf } from "../../src/protocol/keyset.ts";
import { at } from "../task-news.ts";

describe("a cursor", () => {
  it("leads back to its place, whatever the id", () => {
    const place = { at: at(5), id: "tâche/é~1" };

    expect(placeOf(cursorOf(place))).toEqual({ ok: true, value: place });
    expect(cursorOf(place)).toMatch(/^[A-Za-z0-9_-]+$/);
  });

  it("is the list's start when there is none", () => {
    expect(placeOf(undefined)).toEqual({ ok: true, value: null });
  });

  it.each(["x", "%%%", btoa("{}"), btoa('["yesterday","id"]'), btoa(JSON.stringify([at(1)]))])(
    "is refused when it was never one: %s",
    (cursor) => {
      expect(placeOf(cursor)).toMatchObject({
        ok: false,
        refusal: { code: "validation_failed", errors: [{ pointer: "/cursor" }] },
      });
    },
  );
});

describe("a page", () => {
  const form = {
    place: (id: string) => ({ at: at(0), id }),
    item: (id: string) => id.toUpperCase(),
  };

  it("has a cursor behind its last item when there is more", () => {
    expect(pageOf(["c", "b", "a"], 2, form)).toEqual({
      items: ["C", "B"],
      next_cursor: cursorOf({ at: at(0), id: "b" }),
    });
  });

  it("is the last one when there is no more", () => {
    expect(pageOf(["c", "b"], 2, form)).toEqual({ items: ["C", "B"], next_cursor: null });
  });
});

describe("of two places", () => {
  it.each([
    [
      { at: at(1), id: "a" },
      { at: at(2), id: "a" },
    ],
    [
      { at: at(1), id: "a" },
      { at: at(1), id: "b" },
    ],
  ])("%o lies further down the list than %o", (low, high) => {
    expect(further(low, high)).toEqual(low);
    expect(further(high, low)).toEqual(low);
  });
});
