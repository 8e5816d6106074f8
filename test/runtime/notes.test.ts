import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import { connect } from "./agent-channel.ts";
import { Executor, call, ended, eventually, submit, view } from "./batuta.ts";
import {
  NOTHING,
  isNoted,
  keyWith,
  list,
  newName,
  problemOf,
  put,
  stubOf,
  working,
} from "./noter.ts";

/* The short-term memory of tasks, over REST and on the executors' WebSocket. */

const NO_RETRIES = { retry_policy: { max_retries: 0, retry_delay: 1, backoff_multiplier: 1 } };
const QUICK_RETRIES = { retry_policy: { max_retries: 2, retry_delay: 1, backoff_multiplier: 1 } };

describe("the notes of a task", () => {
  it("are readable during the run, by key and all together, and absent after a success", async () => {
    const executor = await working();
    const { task_id } = executor;
    const observer = await keyWith("observe");

    const written = await put(executor, "plan", { step: 2 });
    await put(executor, "a", null);
    const one = await call("GET", `/v1/tasks/${task_id}/notes/plan`, undefined, observer);
    const all = await list(task_id, observer);
    await executor.complete();
    const finalizing = await list(task_id);
    await executor.end();
    await ended(task_id);

    const note = {
      key: "plan",
      value: { step: 2 },
      updated_at: expect.stringMatching(/Z$/),
      attempt: 1,
      agent_id: executor.agent_id,
    };
    expect([written.status, written.body]).toEqual([200, note]);
    expect([one.status, one.body]).toEqual([200, note]);
    expect(all).toEqual({
      items: [expect.objectContaining({ key: "a", value: null }), note],
      bytes_used: 14,
      bytes_limit: 262_144,
    });
    expect(finalizing.items).toHaveLength(2);
    expect(await list(task_id)).toEqual(NOTHING);
    const gone = await call("GET", `/v1/tasks/${task_id}/notes/plan`);
    expect(problemOf(gone)).toEqual([404, "note_not_found"]);
    expect(await isNoted(task_id)).toBe(false);
  });

  it("are read by the next attempt's executor after the one before it was lost in a crash", async () => {
    const capability = newName();
    const first = await new Executor(`${capability}-1`).register([capability]);
    await submit({
      requires: { capabilities: [capability] },
      heartbeat_timeout: 1,
      execution_options: QUICK_RETRIES,
    });
    await first.claim();
    const { task_id } = first;
    await put(first, "page", 7);
    await evictDurableObject(stubOf(task_id));
    await eventually(
      () => view(task_id),
      ({ phase }) => phase === "retry_wait" || phase === "queued",
    );
    const second = await new Executor(`${capability}-2`).register([capability]);
    await second.claim();

    const found = await list(task_id, second.lease);
    const replaced = await put(second, "page", 8);
    const stale = await put(first, "page", 9);

    expect(second.task_id).toBe(task_id);
    expect(found.items).toMatchObject([
      { key: "page", value: 7, attempt: 1, agent_id: first.agent_id },
    ]);
    expect(replaced.body).toMatchObject({ value: 8, attempt: 2, agent_id: second.agent_id });
    expect(problemOf(stale)).toEqual([409, "lease_lost"]);
    expect((await list(task_id)).items.map(({ value }) => value)).toEqual([8]);
  });

  it.each([
    ["research", undefined, true],
    ["monitoring", undefined, false],
    ["research", "never", false],
    ["monitoring", "on_failure", true],
  ])("after the failure of %s with keep_memory %s: kept is %s", async (task_type, keep, isKept) => {
    const executor = await new Executor(newName()).register();
    await call("PUT", `/v1/agents/${executor.agent_id}`, {
      capabilities: [executor.agent_id],
      task_types: [task_type],
      slots: 1,
    });
    const { task_id } = await submit({
      task_type,
      requires: { capabilities: [executor.agent_id] },
      execution_options: { ...NO_RETRIES, ...(keep !== undefined && { keep_memory: keep }) },
    });
    await executor.claim();
    await executor.notify("task_started", { task_type, estimated_duration: 9, complexity: "low" });
    await put(executor, "clue", "the disk was full");

    await executor.fail();
    await executor.end();
    const { end_reason } = await ended(task_id);

    expect(end_reason).toBe("failure");
    expect((await list(task_id)).items.map(({ value }) => value)).toEqual(
      isKept ? ["the disk was full"] : [],
    );
    expect(await isNoted(task_id)).toBe(isKept);
    expect(problemOf(await put(executor, "clue", "more"))).toEqual([409, "task_ended"]);
  });

  it("are written under the lease alone, and not after the verdict", async () => {
    const [executor, other] = [await working(), await working()];
    const { task_id } = executor;
    await put(executor, "plan", 1);
    const address = `/v1/tasks/${task_id}/notes/plan`;

    const refused = [
      await call("PUT", address, { value: 2 }),
      await call("PUT", address, { value: 2 }, other.lease),
      await call("DELETE", address, undefined, other.lease),
      await call(
        "PUT",
        address,
        { value: 2 },
        { ...executor.lease, ...(await keyWith("observe")) },
      ),
      await call("PUT", "/v1/tasks/nobodys/notes/plan", { value: 2 }, executor.lease),
    ];
    await executor.complete();
    refused.push(
      await put(executor, "plan", 2),
      await call("DELETE", address, undefined, executor.lease),
    );

    expect(refused.map(problemOf)).toEqual([
      [409, "lease_lost"],
      [409, "lease_lost"],
      [409, "lease_lost"],
      [403, "forbidden"],
      [404, "task_not_found"],
      [409, "task_ended"],
      [409, "task_ended"],
    ]);
    expect((await list(task_id)).items).toMatchObject([{ key: "plan", value: 1 }]);
  });

  it("are read by executors that have the task, and no others", async () => {
    const [own, stranger] = [await keyWith("execute"), await keyWith("execute")];
    const agent_id = newName();
    const registration = { capabilities: [agent_id], task_types: ["research"], slots: 1 };
    await call("PUT", `/v1/agents/${agent_id}`, registration, own);
    const { task_id } = await submit({ requires: { capabilities: [agent_id] } });
    const claim = { wait_seconds: 5 };
    const { body } = await call<{ tasks: { lease: { token: string } }[] }>(
      "POST",
      `/v1/agents/${agent_id}/claim`,
      claim,
      own,
    );
    const lease = { "lease-token": body.tasks[0]?.lease.token ?? "" };
    await put({ task_id, lease: { ...lease, ...own } }, "plan", 1);
    const reading = (headers: Record<string, string>) =>
      call("GET", `/v1/tasks/${task_id}/notes`, undefined, headers);

    const answers = [
      await reading(own),
      await reading({ ...own, "lease-token": "over" }),
      await reading({ ...stranger, ...lease }),
      await reading(stranger),
      await reading({ ...stranger, "lease-token": "over" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 404]);
    expect(answers.slice(3).map(problemOf)).toEqual(Array(2).fill([404, "task_not_found"]));
    expect(answers[2]?.body).toMatchObject({ items: [{ key: "plan", value: 1 }] });
  });

  it("are forgotten one by one, each once", async () => {
    const executor = await working();
    await put(executor, "plan", 1);
    const address = `/v1/tasks/${executor.task_id}/notes/plan`;

    const gone = await call("DELETE", address, undefined, executor.lease);
    const again = await call("DELETE", address, undefined, executor.lease);

    expect(gone.status).toBe(204);
    expect(problemOf(again)).toEqual([404, "note_not_found"]);
    expect(await list(executor.task_id)).toEqual(NOTHING);
  });
});

describe("an executor's WebSocket", () => {
  it("carries notes as the calls over HTTP do", async () => {
    const agent_id = newName();
    await new Executor(agent_id).register();
    const client = await connect(agent_id);
    client.say({ type: "ready", max_tasks: 1 });
    await submit({ requires: { capabilities: [agent_id] } });
    const { tasks } = await client.hear("tasks");
    const task_id = String(tasks[0]?.task.task_id);
    const at = { task_id, lease_token: tasks[0]?.lease.token };
    const said = async (frame: object) => {
      client.say({ ...at, ...frame });
      return client.hear("answer");
    };

    const put_ = await said({ type: "put_note", id: "1", key: "plan", value: [1] });
    const listed = await said({ type: "list_notes", id: "2" });
    const deleted = await said({ type: "delete_note", id: "3", key: "plan" });
    client.say({ ...at, type: "delete_note", id: "4", key: "plan" });
    const { problem } = await client.hear("problem");
    client.leave();

    expect(put_).toMatchObject({ status: 200, body: { key: "plan", value: [1], attempt: 1 } });
    expect(listed).toMatchObject({ status: 200, body: { bytes_used: 3 } });
    expect(deleted).toMatchObject({ status: 204, body: { task_id } });
    expect(problem.code).toBe("note_not_found");
  });
});
