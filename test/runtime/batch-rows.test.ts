import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";

import { newBatch } from "./batch-world.ts";
import { RowMeter } from "./row-meter.ts";

/* What a batch adds to the bill of its tasks, exactly; each of them adds one row more if it had to wait for its turn. */

const meter = new RowMeter();

afterEach(() => meter.stop());

describe("the rows written for a batch", () => {
  it.each([1, 10, 100])(
    "are seven in its own object, and one for each of %i tasks",
    async (tasks) => {
      const batch = await newBatch();
      await runInDurableObject(batch.stub, (_instance, { storage }) => {
        meter.start(storage);
        meter.name(storage, "batch");
      });

      await batch.begin(
        Array.from({ length: tasks }, (_, index) => (index === 0 ? [] : [index - 1])),
      );
      for (let index = 0; index < tasks; index += 1) await batch.end(`t${index}`);

      expect(await batch.state()).toBe("completed");
      expect(meter.take().rows).toEqual({
        "batch: CREATE record": 2,
        "batch: INSERT record": 2 + tasks,
        "batch: setAlarm": 3,
      });
    },
  );
});
