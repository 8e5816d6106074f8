import { z } from "zod";

import type { Batuta } from "./batuta.ts";
import type { Check } from "./check.ts";
import { judged, notApplicable } from "./check.ts";
import { Child } from "./child.ts";
import { overloaded, told } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { impatient } from "./judge.ts";
import { CUT } from "./proxy.ts";
import type { Proxy, Rule } from "./proxy.ts";
import { until } from "./wait.ts";

/** An orchestrator that submits and ends, run anew for each check. */
export class OrchestratorStage {
  readonly #all: {
    proxy: Proxy;
    batuta: Batuta;
    command: string;
    key: string;
    patienceMs: number;
  };

  constructor(all: {
    proxy: Proxy;
    batuta: Batuta;
    command: string;
    key: string;
    patienceMs: number;
  }) {
    this.#all = all;
  }

  /** Runs it to its end under a rule for its submissions; what it submitted, and with which status it ended. */
  async play(rule: Rule | null): Promise<{ own: Exchange[]; status: number | null }> {
    const { proxy, command, key, patienceMs } = this.#all;
    const before = proxy.exchanges.length;
    proxy.onSubmit = rule;
    const env = { BATUTA_URL: proxy.url, BATUTA_KEY: key };
    const child = new Child(command, { cwd: process.cwd(), env });
    await until(() => child.hasEnded, patienceMs * 2);
    const { status } = child;
    await child.stop();
    proxy.clear();
    const own = proxy.exchanges.slice(before).filter(({ kind }) => kind === "submit");
    await this.#forget(own);
    return { own, status };
  }

  /** Cancels what was submitted. */
  async #forget(own: readonly Exchange[]): Promise<void> {
    for (const task_id of madeBy(own)) {
      await this.#all.batuta.command(task_id, "cancel").catch(() => {
        // It has ended already.
      });
    }
  }
}

const madeSchema = z.looseObject({ task_id: z.string() });

/** The tasks that submissions have made, each once. */
function madeBy(own: readonly Exchange[]): string[] {
  const views = own.flatMap(({ passed }) => passed.map(({ body }) => madeSchema.safeParse(body)));
  return [...new Set(views.flatMap(({ data }) => data?.task_id ?? []))];
}

/** What a submission is the same by: protocol.md §4, POST /v1/tasks. */
function identityOf({ headers, body }: Exchange): string | null {
  const named = z.looseObject({ task_id: z.string() }).safeParse(body).data?.task_id;
  const batch = z.looseObject({ batch_id: z.string() }).safeParse(body).data?.batch_id;
  return headers["idempotency-key"] ?? named ?? batch ?? null;
}

function endFaults(status: number | null): string[] {
  return status === 0 ? [] : [`it ended with status ${status ?? "none: it was still running"}`];
}

const plain: Check<OrchestratorStage> = {
  id: "plain_submission",
  title: "Submits, under a name of its own",
  section: "protocol.md §4 Orchestrator (POST /v1/tasks)",
  rule: "A submission carries an Idempotency-Key, or a task_id, so that it can be repeated.",
  advice: "Make the Idempotency-Key before the first try, and keep it with what it stands for.",
  async run(stage) {
    const { own, status } = await stage.play(null);
    const nameless = own.filter((exchange) => identityOf(exchange) === null);
    return judged(
      [
        ...(own.length === 0 ? ["it submitted nothing"] : []),
        ...(nameless.length > 0
          ? ["a submission carries neither Idempotency-Key nor task_id"]
          : []),
        ...endFaults(status),
      ],
      told(own),
    );
  },
};

/** Submissions that came again, after one whose answer was lost, as something else. */
function strangers(own: readonly Exchange[]): string[] {
  const lost = own.find(({ isCut }) => isCut);
  if (lost === undefined) return ["nothing came whose answer could be lost"];
  const later = own.slice(own.indexOf(lost) + 1);
  if (later.length === 0) return ["it did not submit again after the answer was lost"];
  const isSame = (exchange: Exchange): boolean =>
    identityOf(exchange) !== null &&
    identityOf(exchange) === identityOf(lost) &&
    JSON.stringify(exchange.body) === JSON.stringify(lost.body);
  return later.some(isSame)
    ? []
    : [
        "it submitted again under another Idempotency-Key or with another body: the work would be done twice",
      ];
}

const lost: Check<OrchestratorStage> = {
  id: "lost_ack",
  title: "Submits again what was not answered, as the same",
  section: "protocol.md §4 Orchestrator (Idempotency-Key)",
  rule: "The same Idempotency-Key (or task_id) and body → 200 with the task that exists; nothing is made twice.",
  advice:
    "Repeat the very same body under the same Idempotency-Key until there is an answer; 200 is as good as 202.",
  async run(stage) {
    let isLost = false;
    const { own, status } = await stage.play(async (_exchange, pass) => {
      const answer = await pass();
      if (isLost) return answer;
      isLost = true;
      return CUT;
    });
    return judged([...strangers(own), ...endFaults(status)], told(own));
  },
};

const duplicate: Check<OrchestratorStage> = {
  id: "duplicate_submission",
  title: "Takes 200 with Idempotency-Replayed as it takes 202",
  section: "protocol.md §4 Orchestrator (Idempotency-Replayed)",
  rule: "A submission that came before is answered 200 with the existing task.",
  advice: "Treat every 2xx as success, and go on with the task_id of the answer.",
  async run(stage) {
    const { own, status } = await stage.play(async (exchange, pass) => {
      const first = await pass();
      // Without a name of its own it would be another task.
      return identityOf(exchange) === null ? first : pass();
    });
    if (own.every((exchange) => identityOf(exchange) === null)) {
      return notApplicable(
        "its submissions have no name under which they could come again",
        told(own),
      );
    }
    return judged(endFaults(status), told(own));
  },
};

const RETRY_AFTER_S = 2;

const putOff: Check<OrchestratorStage> = {
  id: "retry_after",
  title: "Waits as long as Retry-After says, and then submits again",
  section: "protocol.md §4 (429 with Retry-After)",
  rule: "429 and 503 with Retry-After: nothing was written, and the call may come again after so many seconds.",
  advice:
    "Read Retry-After (whole seconds) of 429 and 503, and sleep so long before the same call.",
  async run(stage) {
    const faults: string[] = [];
    const seen: string[] = [];
    for (const code of [429, 503] as const) {
      let isPutOff = false;
      const { own, status } = await stage.play(async (_exchange, pass) => {
        if (isPutOff) return pass();
        isPutOff = true;
        return overloaded(code, RETRY_AFTER_S);
      });
      const isIt = ({ answer }: Exchange): boolean => answer?.status === code;
      faults.push(...impatient(own, isIt, RETRY_AFTER_S), ...endFaults(status));
      seen.push(...told(own));
    }
    return judged(faults, seen);
  },
};

/** What a program that submits has to do. */
export const orchestratorChecks: readonly Check<OrchestratorStage>[] = [
  plain,
  lost,
  duplicate,
  putOff,
];
