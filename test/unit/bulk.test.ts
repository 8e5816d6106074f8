import { describe, expect, it } from "vitest";

import { restore, slim } from "../../src/history/bulk.ts";
import { viewOf } from "../task-news.ts";

const LONG = "x".repeat(10_000);
const error = {
  type: "parse",
  message: "not a table",
  root_cause: { class: "input", detail: "row 7", evidence: LONG },
};

describe("the large members of a task view", () => {
  it("leaves a small view as it is", () => {
    const view = viewOf({ result: { rows: 3 }, metadata: { owner: "me" } });

    expect(slim(view)).toEqual({ view, bulk: null });
  });

  it("takes out each member that is too large for a list, and only that", () => {
    const view = viewOf({ result: { text: LONG }, metadata: { small: true }, error });

    const slimmed = slim(view);

    expect(slimmed.view).toMatchObject({
      result: null,
      metadata: { small: true },
      error: { message: "not a table", root_cause: null },
    });
    expect(JSON.stringify(slimmed.view).length).toBeLessThan(2_000);
  });

  it("gives the whole view back", () => {
    const view = viewOf({ result: [LONG], metadata: { text: LONG }, error });

    const { view: slimmed, bulk } = slim(view);

    expect(restore(slimmed, bulk)).toEqual(view);
  });
});
