import { describe, expect, it } from "vitest";

import { LOG_EVENTS } from "../../src/observe/log-events.ts";
import { loggedEvents } from "../logged-events.ts";

describe("names of logged events", () => {
  it("are those of the list, neither more nor fewer, so that a rename is a wanted change", () => {
    const logged = [...loggedEvents("src").keys()];

    expect(logged.toSorted()).toEqual(Object.keys(LOG_EVENTS).toSorted());
  });
});
