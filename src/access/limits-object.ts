import { DurableObject } from "cloudflare:workers";

import { consoleLog } from "../lib/log.ts";
import { randomId, type Clock } from "../lib/ports.ts";
import { ok, type Result } from "../lib/result.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { LimitBook, type LimitBookParts } from "./limit-book.ts";
import {
  leaseCallSchema,
  limitsChangeCallSchema,
  limitsName,
  type LimitsDoor,
} from "./limit-door.ts";
import { LimitStore } from "./limit-store.ts";

/** What limits need from other parts: the tasks of a tenant that wait. */
export interface LimitsPorts {
  backlog: (tenant: string) => ReturnType<LimitBookParts["backlog"]>;
}

/**
 * The limits of one tenant, named `tenant/<tenant>`: the one place that knows how many requests each of its keys may
 * still make. Isolates take permits in advance, so that few requests come here.
 */
export class LimitsObject extends DurableObject<Env> implements LimitsDoor {
  /** Set once by index.ts. */
  static connect: (env: Env) => LimitsPorts;

  now: Clock = () => Date.now();
  readonly #book: LimitBook;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const tenant = (ctx.id.name ?? "").slice(limitsName("").length);
    const log = consoleLog("limits", () => this.now());
    this.#book = new LimitBook({
      now: () => this.now(),
      log: (level, event, fields) => log(level, event, { tenant, ...fields }),
      store: new LimitStore(ctx.storage.sql),
      life: randomId(),
      backlog: () => LimitsObject.connect(env).backlog(tenant),
    });
  }

  async lease(call: string): Promise<string> {
    return JSON.stringify(this.#book.lease(leaseCallSchema.parse(JSON.parse(call))));
  }

  async view(scale: number): Promise<string> {
    return JSON.stringify(this.#book.view(scale));
  }

  async change(call: string): Promise<Result<string, Refusal>> {
    const changed = this.#book.change(limitsChangeCallSchema.parse(JSON.parse(call)));
    return changed.ok ? ok(JSON.stringify(changed.value)) : changed;
  }
}
