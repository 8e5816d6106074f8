import { describe, expect, it } from "vitest";

import { accepted, codeOf, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

const rowsOf = (subject: Subject) =>
  subject.inside((_instance, { storage }) =>
    storage.sql.exec("SELECT count(*) AS n FROM sqlite_master WHERE name = 'record'").one(),
  );

describe("a submission", () => {
  it("is accepted once, also when many come at the same time", async () => {
    const subject = await newSubject();

    const answers = await Promise.all(Array.from({ length: 5 }, () => subject.submit()));

    const views = answers.map((answer) => accepted(answer));
    expect(views.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(views.map(({ view }) => view)).size).toBe(1);
    expect(await subject.types()).toEqual(["task_submitted", "task_ready"]);
  });

  it("of another request under the same id is a conflict that changes nothing", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());

    const answer = await subject.submit({ description: "Something else entirely" }, "hash-2");

    expect(answer).toMatchObject({
      ok: false,
      refusal: { code: "idempotency_conflict", extra: { existing_task_id: "task-1" } },
    });
    expect((await subject.view()).description).toBe("Summarise the text");
  });

  it("fills in every default, and the executor gets all of it", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());

    const task = await subject.assign();

    expect(task).toMatchObject({
      priority: "normal",
      timeout: 300,
      heartbeat_timeout: 60,
      pool: "default",
      execution_options: { autonomy_level: "semi_autonomous", retry_policy: { max_retries: 2 } },
      checkpoint: null,
      attempt: 1,
    });
  });

  it("whose contract cannot be checked leaves no trace", async () => {
    const subject = await newSubject();

    const answer = await subject.submit({ contract: { output_schema: { required: 5 } } });

    expect(codeOf(answer)).toBe("validation_failed");
    expect(await rowsOf(subject)).toEqual({ n: 0 });
    expect(await subject.alarm()).toBeNull();
  });

  it("is announced to the pool before it is answered", async () => {
    const subject = await newSubject();

    accepted(await subject.submit({ priority: "high" }));

    expect(subject.neighbours.announced).toMatchObject([{ attempt: 1, priority: "high" }]);
  });
});

describe("a task that does not exist", () => {
  it("refuses everything and writes nothing", async () => {
    const subject = await newSubject();

    const answers = [
      await subject.stub.assign({ agent_id: "ann", attempt: 1, decision: "{}" }),
      await subject.stub.decline("token", "busy"),
      await subject.beat("token"),
      await subject.notify("task_progress"),
      await subject.end("success"),
      await subject.order("cancel"),
      await subject.stub.view(),
      await subject.stub.events(0, 10),
      await subject.stub.report(),
      await subject.stub.explain(),
      await subject.stub.record(0),
      await subject.stub.rebuild(),
    ];

    expect(new Set(answers.map(codeOf))).toEqual(new Set(["task_not_found"]));
    expect((await subject.stub.fetch("https://task/?after=0")).status).toBe(404);
    expect(await rowsOf(subject)).toEqual({ n: 0 });
  });
});

describe("the lease", () => {
  it("of an older attempt opens nothing: every write is refused and changes nothing", async () => {
    const subject = await newSubject();
    await subject.execute();
    const stale = subject.token;
    await subject.pass(60_000);
    await subject.pass(30_000);
    await subject.assign(2, "bob");
    const before = await subject.events();
    const fresh = subject.token;
    subject.token = stale;

    const codes = [
      await subject.notify("task_progress"),
      await subject.notify("task_completed"),
      await subject.beat(),
      await subject.end("success"),
      await subject.stub.decline(stale, "late"),
    ].map(codeOf);

    expect(codes).toEqual(Array(5).fill("lease_lost"));
    expect(await subject.events()).toEqual(before);
    expect(codeOf(await subject.beat(fresh))).toBeNull();
  });

  it("is given to one of two that come for the same attempt", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());

    const offers = ["ann", "bob"].map((agent_id) =>
      subject.stub.assign({ agent_id, attempt: 1, decision: "{}" }),
    );

    const codes = (await Promise.all(offers)).map(codeOf);
    expect(new Set(codes)).toEqual(new Set([null, "transition_refused"]));
  });

  it("lasts heartbeat_timeout from the last sign of life, and brings the open commands", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 45 });
    accepted(await subject.order("request_update", { reason: "How far?" }));
    subject.now += 10_000;

    const { lease, commands } = accepted(await subject.beat());

    expect(lease.expires_at).toBe(new Date(subject.now + 45_000).toISOString());
    expect(commands).toMatchObject([{ command: "request_update", reason: "How far?" }]);
  });

  it("is never seen in the log", async () => {
    const subject = await newSubject();
    await subject.execute();

    expect(JSON.stringify(await subject.events())).not.toContain(subject.token);
    expect(JSON.stringify(subject.neighbours.published)).not.toContain(subject.token);
    expect(JSON.stringify(subject.neighbours.recorded)).not.toContain(subject.token);
  });
});

describe("a large task", () => {
  it("carries 500 KB in and 500 KB out; history is told by reference", async () => {
    const subject = await newSubject();
    const large = "x".repeat(500_000);
    accepted(await subject.submit({ parameters: { input_data: { text: large } } }));
    const task = await subject.assign();
    accepted(await subject.notify("task_started"));
    accepted(await subject.notify("task_completed", { result: { text: large } }));
    accepted(await subject.end("success"));
    await subject.evict();
    await subject.pass(1_000);

    const { phase, result } = await subject.view();

    expect(task).toMatchObject({ parameters: { input_data: { text: large } } });
    expect({ phase, result }).toEqual({ phase: "ended", result: { text: large } });
    for (const message of subject.neighbours.recorded) {
      expect(JSON.stringify(message).length).toBeLessThan(128_000);
    }
    expect(subject.neighbours.recorded.some(({ form }) => form === "reference")).toBe(true);
  });
});

describe("a read", () => {
  it("gives the log page by page", async () => {
    const subject = await newSubject();
    await subject.execute();

    const first = accepted(await subject.stub.events(0, 3));
    const rest = accepted(await subject.stub.events(3, 100));

    const seqs = [first, rest].map(({ events }) =>
      (JSON.parse(events) as { seq: number }[]).map(({ seq }) => seq),
    );
    expect(seqs).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect([first.isMore, rest.isMore]).toEqual([true, false]);
  });

  it("sees a lease that has run out although no alarm has come", async () => {
    const subject = await newSubject();
    await subject.execute();
    subject.now += 60_000;

    expect(await subject.view()).toMatchObject({ phase: "retry_wait", status: "pending" });
  });

  it("never shows the log going back in time, whatever the machine's clock does", async () => {
    const subject = await newSubject();
    await subject.execute();
    subject.now -= 5_000;
    accepted(await subject.notify("task_progress"));

    const instants = (await subject.events()).map(({ at }) => Date.parse(at));

    expect(instants).toEqual(instants.toSorted((one, other) => one - other));
  });

  it("of the report is refused before the end", async () => {
    const subject = await newSubject();
    await subject.execute();

    expect(codeOf(await subject.stub.report())).toBe("report_not_ready");
  });

  it("explains what the task waits for", async () => {
    const subject = await newSubject();
    accepted(await subject.submit({ requires: { capabilities: ["ocr"] } }));

    const explanation = JSON.parse(accepted(await subject.stub.explain()));

    expect(explanation).toMatchObject({
      phase: "queued",
      waiting_for: [{ kind: "executor" }, { kind: "clock" }],
    });
    expect(JSON.stringify(explanation)).toContain("ocr");
  });
});
