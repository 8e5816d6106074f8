import { DurableObject } from "cloudflare:workers";

import { consoleLog } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import { MeterBook } from "./meter-book.ts";
import { meterName, tellCallSchema, type MeterDoor } from "./meter-door.ts";
import { MeterStore } from "./meter-store.ts";
import { foldSteps, writeMinutes } from "./minute-store.ts";
import { MeterUpkeep } from "./upkeep.ts";

/** What the figures of a tenant need from other parts. */
export interface MeterPorts {
  /** Where the minutes, hours and days are kept. */
  db: D1Database;
}

/**
 * The technical figures of one tenant, named `tenant/<tenant>`: what all isolates and endpoints have told of, added up.
 *
 * It stores them every ten seconds, and before it shows them: no counter that was shown ever falls. Each minute costs
 * one row of D1, which this object alone writes and folds.
 */
export class MeterObject extends DurableObject<Env> implements MeterDoor {
  /** Set once by index.ts. */
  static connect: (env: Env) => MeterPorts;

  now: Clock = () => Date.now();
  readonly #book: MeterBook;
  readonly #upkeep: MeterUpkeep;
  /** When the alarm fires, as far as is known. */
  #armedFor: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const tenant = (ctx.id.name ?? "").slice(meterName("").length);
    const log = consoleLog("meter", () => this.now());
    const store = new MeterStore(ctx.storage.sql);
    const { db } = MeterObject.connect(env);
    this.#book = new MeterBook(store.read());
    this.#upkeep = new MeterUpkeep({
      book: this.#book,
      now: () => this.now(),
      log: (level, event, fields) => log(level, event, { tenant, ...fields }),
      store: (book) => store.write(book),
      writeMinutes: (minutes) => writeMinutes(db, tenant, minutes),
      fold: (fold) => foldSteps(db, tenant, fold),
    });
  }

  async tell(call: string): Promise<void> {
    this.#book.add(tellCallSchema.parse(JSON.parse(call)), this.now());
    this.#upkeep.noted();
    await this.#arm();
  }

  async read(): Promise<string> {
    await this.#upkeep.introduce();
    this.#upkeep.save();
    return JSON.stringify(this.#book.totals);
  }

  override async alarm(): Promise<void> {
    this.#armedFor = null;
    await this.#upkeep.tend();
    await this.#arm();
  }

  /** Sets the alarm, unless it fires as early as it has to. */
  async #arm(): Promise<void> {
    const at = this.#upkeep.next();
    if (at === null || (this.#armedFor !== null && this.#armedFor <= at)) return;
    // Before anything is waited for: what is told meanwhile need not set it again.
    this.#armedFor = at;
    const known = await this.ctx.storage.getAlarm();
    if (known === null || known > at) await this.ctx.storage.setAlarm(at);
    else this.#armedFor = known;
  }
}
