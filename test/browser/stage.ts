import { afterAll, afterEach, beforeAll } from "vitest";

import { Studio, type Look, type Visit } from "./visit.ts";

/** The longest that one test of what people do may take, milliseconds. */
export const LONGEST_MS = 60_000;

/**
 * The browser of a file of tests, there before the first and gone after the last of them. Of a test that fails its newest
 * visit leaves a picture.
 */
export function openStage(): Pick<Studio, "visit"> {
  let studio: Studio;
  let newest: Visit | null = null;

  beforeAll(async () => {
    studio = await Studio.open();
  }, LONGEST_MS);

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await newest?.shoot(`failed-${task.id}`);
  });

  afterAll(() => studio.close());

  return {
    async visit(look?: Look): Promise<Visit> {
      newest = await studio.visit(look);
      return newest;
    },
  };
}
