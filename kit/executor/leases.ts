import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import type { Check } from "../check.ts";
import { judged, notApplicable } from "../check.ts";
import { told } from "../exchange.ts";
import type { Exchange } from "../exchange.ts";
import { GRACE_MS, writesAfter } from "../judge.ts";
import type { Rule } from "../proxy.ts";
import { LABEL } from "../registration.ts";
import type { Stage } from "./stage.ts";
import { refusedWith } from "./stage.ts";

/* Leases that are lost: to nobody, and to somebody else. */

/** After a refusal an executor that does not stop would have come again by now, milliseconds. */
const WATCHED_MS = 1_500;

/** Keeps what the first lease says from Batuta, its first word excepted, until it is let go. */
class Dam {
  #token: string | null = null;
  readonly #opening = Promise.withResolvers<void>();

  readonly rule: Rule = async (exchange, pass) => {
    this.#token ??= exchange.token;
    const isFirstLease = exchange.token === this.#token;
    if (isFirstLease && exchange.kind !== "started") await this.#opening.promise;
    return pass();
  };

  isOf({ token }: Exchange): boolean {
    return token === this.#token;
  }

  open(): void {
    this.#opening.resolve();
  }
}

const late: Check<Stage> = {
  id: "late_result",
  title: "Does the task again under its new lease when its result came too late",
  section: "protocol.md §7 Claim (a lost lease costs one retry)",
  rule: "After a lost lease the task comes again as the next attempt, with a lease token of its own.",
  advice:
    "Keep the token with the attempt, not with the task; take every offer with another attempt as new work.",
  async run(stage) {
    const dam = new Dam();
    const task_id = stage.nextId();
    stage.proxy.setRule(task_id, dam.rule);
    await stage.submit(task_id);
    const isLost = await stage.leaseIsLost(task_id);
    dam.open();
    if (!isLost) return notApplicable("the lease was not lost in time", told(stage.about(task_id)));
    await stage.verdict(task_id);
    const own = stage.about(task_id);
    const isHeard = refusedWith(own, "lease_lost") !== undefined;
    return judged(
      [
        ...(isHeard ? [] : ["nothing of its late words came, so it never heard of its lost lease"]),
        ...(await stage.unfinished(task_id)),
      ],
      told(own),
    );
  },
};

const assignedSchema = z.looseObject({
  tasks: z.array(z.looseObject({ lease: z.looseObject({ token: z.string() }) })),
});

/** A second executor, of the kit's own, that may take what is for the one under test. */
class Rival {
  readonly #stage: Stage;
  readonly #agent_id: string;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#agent_id = `kit_rival_${stage.run}`;
  }

  async register(): Promise<void> {
    const { pool } = this.#stage.subject;
    const labels = { [LABEL]: this.#stage.run };
    await this.#call("PUT", `/v1/agents/${this.#agent_id}`, { pools: [pool], labels });
  }

  async leave(): Promise<void> {
    await this.#call("DELETE", `/v1/agents/${this.#agent_id}`);
  }

  /** The lease token of the one task that there is for it; null when it does not come. */
  async claim(): Promise<string | null> {
    const body = { wait_seconds: Math.min(25, Math.ceil(this.#stage.pace.patienceMs / 1_000)) };
    const answer = await this.#call("POST", `/v1/agents/${this.#agent_id}/claim`, body);
    return assignedSchema.parse(answer).tasks[0]?.lease.token ?? null;
  }

  async start(task_id: string, token: string): Promise<void> {
    const { task_type } = this.#stage.subject;
    const data = { task_type, estimated_duration: 1, complexity: "low" };
    await this.#notify(task_id, token, { notification_type: "task_started", data });
  }

  async complete(task_id: string, token: string): Promise<void> {
    const data = {
      result: { by: this.#agent_id },
      execution_summary: "Done by the kit's own executor",
      metrics: { execution_time: 1, tokens_used: 0, cost: 0, quality_score: 1 },
      quality_assessment: { overall_score: 1 },
    };
    await this.#notify(task_id, token, { notification_type: "task_completed", data });
  }

  async #notify(task_id: string, token: string, content: Record<string, unknown>): Promise<void> {
    const notification = {
      notification_id: `${task_id}-${String(content["notification_type"])}-rival`,
      task_id,
      agent_id: this.#agent_id,
      timestamp: new Date().toISOString(),
      ...content,
    };
    await this.#call("POST", "/v1/notifications", notification, { "lease-token": token });
  }

  async #call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<unknown> {
    return this.#stage.batuta.call(method, path, body, headers);
  }
}

/** Lets another executor take over a task whose lease was lost, and then lets the late words of the first one go. */
async function takeOver(stage: Stage, rival: Rival, task_id: string): Promise<string | null> {
  const { agent_id } = stage.subject;
  const dam = new Dam();
  stage.proxy.setRule(task_id, dam.rule);
  try {
    await stage.submit(task_id, { requires: { labels: { [LABEL]: stage.run } } });
    if (!(await stage.sees(task_id, ({ kind }) => kind === "started"))) return "it did not begin";
    // It is to get nothing more, so that the next attempt is the rival's.
    await stage.batuta.call("POST", `/v1/agents/${agent_id}/drain`, {});
    if (!(await stage.leaseIsLost(task_id))) return "the lease was not lost in time";
    const token = await rival.claim();
    if (token === null) return "the task did not come to the kit's own executor";
    await rival.start(task_id, token);
    dam.open();
    await stage.sees(task_id, ({ answer }) => answer?.status === 409);
    await pause(WATCHED_MS + GRACE_MS);
    await rival.complete(task_id, token);
    return null;
  } finally {
    dam.open();
    await stage.batuta.call("POST", `/v1/agents/${agent_id}/activate`, {});
  }
}

const stolen: Check<Stage> = {
  id: "stolen_lease",
  title: "Stops when another executor holds the lease",
  section:
    "protocol.md §4 Executor (a stale token gets 409 lease_lost), README Write an executor (Lease)",
  rule: "409 lease_lost: somebody else has the task. Nothing more is written with the old token, heartbeats included.",
  advice:
    "Take lease_lost as the end of the attempt: stop the work and its heartbeats, and report no failure of it.",
  async run(stage) {
    const rival = new Rival(stage);
    const task_id = stage.nextId();
    await rival.register();
    try {
      const trouble = await takeOver(stage, rival, task_id);
      const own = stage.about(task_id);
      if (trouble !== null) return notApplicable(trouble, told(own));
      const after = writesAfter(own, ["lease_lost"]);
      const isHeard = refusedWith(own, "lease_lost") !== undefined;
      const { result } = await stage.verdict(task_id);
      const isRivals = JSON.stringify(result).includes("kit_rival_");
      return judged(
        [
          ...after,
          ...(isHeard
            ? []
            : ["nothing of its late words came, so it never heard of its lost lease"]),
          ...(isRivals ? [] : ["the result is not that of the executor which held the lease"]),
        ],
        told(own),
      );
    } finally {
      await rival.leave();
    }
  },
};

/** What happens to leases. */
export const leaseChecks: readonly Check<Stage>[] = [late, stolen];
