import { inTurn } from "../../../lib/in-turn.ts";
import type { Log } from "../../../lib/log.ts";
import { METRICS, metricOf } from "../catalogue.ts";
import type { Sample, SampleSource } from "../ports.ts";
import { seriesOf, type Tally } from "../tally.ts";
import { exposition, type TenantSample } from "./exposition.ts";

/** Tenants of one answer, at most: each costs a call of its object and some reads of D1. */
export const MAX_TENANTS = 200;

/** Tenants that are asked at the same time. */
const AT_ONCE = 6;

/**
 * No further tenant is asked once D1 was asked so often: an invocation may 1,000 times (facts/platform.md §4). Six tenants
 * may be under way then, eight statements each; those whose objectives are asked come first, 810 at most.
 */
const MAX_STATEMENTS = 900;

/** The tenant of what nobody's key came with: the installation itself. */
const INSTALLATION = "";

/** What an answer of /metrics is made from. */
export interface ScrapeParts {
  log: Log;
  /** The totals of a tenant's MeterObject. */
  totals: (tenant: string) => Promise<Tally>;
  sources: readonly SampleSource[];
  /** All tenants that may have figures, the installation aside. */
  tenants: () => Promise<{ tenants: readonly string[]; isComplete: boolean }>;
}

const NAMES = new Map(METRICS.map(({ name }) => [name as string, name]));

/** A tally as samples: milliseconds become seconds. Series that the catalogue no longer has are left out. */
function samplesOf(tally: Tally): Sample[] {
  return Object.entries(tally).flatMap(([key, [first = 0, ...counts]]): Sample[] => {
    const series = seriesOf(key);
    const metric = NAMES.get(series?.metric ?? "");
    if (series === null || metric === undefined) return [];
    const { labels } = series;
    const bounds = metricOf(metric)?.buckets;
    return bounds === undefined
      ? [{ metric, labels, value: first }]
      : [{ metric, labels, bounds, counts, sum: first / 1_000 }];
  });
}

/** What is noted of an answer: whether each source had all that there is, and how often D1 was asked. */
interface Notes {
  complete: Map<string, boolean>;
  statements: number;
}

const noNotes = (): Notes => ({ complete: new Map(), statements: 0 });

function note({ complete }: Notes, name: string, isComplete: boolean): void {
  complete.set(name, isComplete && complete.get(name) !== false);
}

/** What one source has; nothing when it fails, which is noted. */
async function read(
  { log }: ScrapeParts,
  source: SampleSource,
  { tenant, notes }: { tenant: string; notes: Notes },
): Promise<Sample[]> {
  const { name } = source;
  try {
    const { samples, isComplete, statements = 1 } = await source.read(tenant);
    note(notes, name, isComplete);
    notes.statements += statements;
    return samples;
  } catch (error) {
    log("warning", "scrape_source_failed", { source: name, tenant, error: String(error) });
    note(notes, name, false);
    notes.statements += 1;
    return [];
  }
}

async function readAll(
  parts: ScrapeParts,
  tenant: string,
  { notes, sources: others }: { notes: Notes; sources: readonly SampleSource[] },
): Promise<Sample[]> {
  const technical: SampleSource = {
    name: "technical",
    read: async () => ({
      samples: samplesOf(await parts.totals(tenant)),
      isComplete: true,
      statements: 0,
    }),
  };
  // The installation has neither tasks nor executors.
  const sources = tenant === INSTALLATION ? [technical] : [technical, ...others];
  const found = await Promise.all(sources.map((source) => read(parts, source, { tenant, notes })));
  return found.flat();
}

function completenessOf({ complete }: Notes): TenantSample[] {
  return [...complete].map(([source, isComplete]) => ({
    tenant: null,
    sample: {
      metric: "batuta_scrape_complete",
      labels: { source },
      value: isComplete ? 1 : 0,
    },
  }));
}

/** The figures of one tenant in Prometheus text. */
export async function scrapeTenant(parts: ScrapeParts, tenant: string): Promise<string> {
  const notes = noNotes();
  const samples = await readAll(parts, tenant, { notes, sources: parts.sources });
  return exposition([
    ...samples.map((sample) => ({ tenant: null, sample })),
    ...completenessOf(notes),
  ]);
}

/**
 * The figures of all tenants, each sample with its tenant as a label, which is empty for the installation's own.
 * `batuta_scrape_complete` is 0 for "tenants" when there are more than were asked, because there are too many or because
 * D1 was asked as often as it may be; and for a source that was not asked of each.
 */
export async function scrapeAll(parts: ScrapeParts): Promise<string> {
  const notes = noNotes();
  const known = await parts.tenants();
  const tenants = known.tenants.slice(0, MAX_TENANTS);
  note(notes, "tenants", known.isComplete && known.tenants.length <= MAX_TENANTS);
  const places = [INSTALLATION, ...tenants].entries();
  const found = await inTurn([...places], AT_ONCE, async ([place, tenant]) => {
    if (notes.statements >= MAX_STATEMENTS) {
      note(notes, "tenants", false);
      return [];
    }
    const sources = parts.sources.filter(({ most = MAX_TENANTS }) => place <= most);
    for (const { name, most = MAX_TENANTS } of parts.sources) {
      if (place > most) note(notes, name, false);
    }
    const samples = await readAll(parts, tenant, { notes, sources });
    return samples.map((sample) => ({ tenant, sample }));
  });
  return exposition([...found.flat(), ...completenessOf(notes)]);
}
