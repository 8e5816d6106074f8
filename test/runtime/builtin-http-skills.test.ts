import { describe, expect, it } from "vitest";

import { ended, submit } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";

describe("the built-in executor with the network", () => {
  it("watches a server and completes with what it measured", async () => {
    const receiver = newReceiver();
    await receiver.script([{ status: 503 }]);
    const { task_id } = await submit({
      task_type: "monitoring",
      parameters: {
        input_data: { url: receiver.url },
        configuration: { samples: 2, interval_ms: 0 },
      },
    });

    const over = await ended(task_id);

    expect(over).toMatchObject({
      status: "completed",
      agent_id: "sam",
      result: { state: "down", targets: [{ probes: { made: 2 }, last_status: 503 }] },
    });
    expect(await receiver.log()).toHaveLength(2);
  });

  it("tests a server and hands the report over", async () => {
    const receiver = newReceiver();
    await receiver.script([{ body: '{"ok":false}' }]);
    const { task_id } = await submit({
      task_type: "testing",
      parameters: {
        input_data: {
          http: [
            {
              request: { url: receiver.url },
              expect: { json: [{ path: "$.ok", value: true }] },
            },
          ],
        },
      },
    });

    const over = await ended(task_id);

    expect(over).toMatchObject({ status: "completed", result: { state: "failed", failed: 1 } });
  });

  it("deploys once and fails when it had to roll back", async () => {
    const [hook, site, undo] = [newReceiver(), newReceiver(), newReceiver()];
    await site.script([{ body: "v1" }]);
    const { task_id } = await submit({
      task_type: "deployment",
      parameters: {
        input_data: { version: "v2" },
        configuration: {
          deploy: { url: hook.url, headers: { authorization: "Bearer hook-s3cret-value" } },
          verify: [{ url: site.url, expect: { contains: "{{version}}" }, attempts: 1 }],
          rollback: { url: undo.url },
        },
      },
      execution_options: { retry_policy: { max_retries: 0 } },
    });

    const over = await ended(task_id);

    expect(over).toMatchObject({
      status: "failed",
      error: { type: "deployment_rolled_back", root_cause: { class: "verification_failed" } },
    });
    expect([await hook.log(), await undo.log()].map(({ length }) => length)).toEqual([1, 1]);
    expect(JSON.stringify(over.error)).not.toContain("s3cret");
  });

  it("probes no inner address", async () => {
    const { task_id } = await submit({
      task_type: "monitoring",
      parameters: { input_data: { url: "https://169.254.169.254/latest/meta-data" } },
      execution_options: { retry_policy: { max_retries: 0 } },
    });

    const over = await ended(task_id);

    expect(over).toMatchObject({ status: "failed", error: { type: "targets_refused" } });
  });
});
