import type { Clock } from "../../lib/ports.ts";
import { TIMED_OUT, withinLimit } from "../../lib/within-limit.ts";
import type { Overview } from "../../protocol/overview.ts";
import { LIMIT_MS } from "./look.ts";

/** Streams of one tenant that one isolate has at most. */
const MOST_WATCHERS = 100;

/** Who has not looked for so long is gone: the platform does not always say that a client has left. Milliseconds. */
const GONE_MS = 10_000;

/** Whoever looks within this after somebody else sees what that one saw. Milliseconds. */
const SHARED_MS = 1_000;

/** So long somebody waits for a look of another, who may have gone in the middle of it. Milliseconds. */
const PATIENCE_MS = LIMIT_MS + 100;

/** One who looks again and again. */
export interface Watch {
  /** Never fails. */
  look: () => Promise<Overview>;
  leave: () => void;
}

/** What all who watch a tenant share. */
interface Shared {
  watching: Map<object, number>;
  look: () => Promise<Overview>;
  shown: { overview: Overview; until: number } | null;
  looking: Promise<Overview> | null;
}

/** All who watch overviews in one isolate: those of a tenant share its looks, so that D1 is not asked for each. */
export class OverviewWatchers {
  readonly #now: Clock;
  readonly #open: (tenant: string) => () => Promise<Overview>;
  readonly #tenants = new Map<string, Shared>();

  /** @param open looks at a tenant again and again (look.ts) */
  constructor(now: Clock, open: (tenant: string) => () => Promise<Overview>) {
    this.#now = now;
    this.#open = open;
  }

  /** Null where a tenant has 100 of them. */
  join(tenant: string): Watch | null {
    this.#dropThoseGone();
    const shared = this.#tenants.get(tenant) ?? {
      watching: new Map(),
      look: this.#open(tenant),
      shown: null,
      looking: null,
    };
    if (shared.watching.size >= MOST_WATCHERS) return null;
    this.#tenants.set(tenant, shared);
    const self = {};
    const stay = () => shared.watching.set(self, this.#now());
    stay();
    return {
      look: () => {
        stay();
        return this.#look(shared);
      },
      leave: () => void shared.watching.delete(self),
    };
  }

  #dropThoseGone(): void {
    const before = this.#now() - GONE_MS;
    for (const [tenant, { watching }] of this.#tenants) {
      for (const [who, seen] of watching) if (seen < before) watching.delete(who);
      if (watching.size === 0) this.#tenants.delete(tenant);
    }
  }

  async #look(shared: Shared): Promise<Overview> {
    for (;;) {
      const { shown, looking } = shared;
      if (shown !== null && this.#now() < shown.until) return shown.overview;
      if (looking === null) return this.#lookAnew(shared);
      // Each turn waits for the one who looks then.
      // oxlint-disable-next-line no-await-in-loop
      const seen = await withinLimit(PATIENCE_MS, () => looking);
      if (seen !== TIMED_OUT) return seen;
      // Its request has ended, and with it the look: the first one to notice takes its place.
      if (shared.looking === looking) shared.looking = null;
    }
  }

  async #lookAnew(shared: Shared): Promise<Overview> {
    const looking = shared.look();
    shared.looking = looking;
    const overview = await looking;
    shared.shown = { overview, until: this.#now() + SHARED_MS };
    if (shared.looking === looking) shared.looking = null;
    return overview;
  }
}
