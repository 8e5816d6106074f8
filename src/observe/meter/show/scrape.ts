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

/** Whether each source had all that there is. */
type Completeness = Map<string, boolean>;

function note(complete: Completeness, name: string, isComplete: boolean): void {
  complete.set(name, isComplete && complete.get(name) !== false);
}

/** What one source has; nothing when it fails, which is noted. */
async function read(
  { log }: ScrapeParts,
  source: SampleSource,
  { tenant, complete }: { tenant: string; complete: Completeness },
): Promise<Sample[]> {
  const { name } = source;
  try {
    const { samples, isComplete } = await source.read(tenant);
    note(complete, name, isComplete);
    return samples;
  } catch (error) {
    log("warning", "scrape_source_failed", { source: name, tenant, error: String(error) });
    note(complete, name, false);
    return [];
  }
}

async function readAll(
  parts: ScrapeParts,
  tenant: string,
  complete: Completeness,
): Promise<Sample[]> {
  const technical: SampleSource = {
    name: "technical",
    read: async () => ({ samples: samplesOf(await parts.totals(tenant)), isComplete: true }),
  };
  // The installation has neither tasks nor executors.
  const sources = tenant === INSTALLATION ? [technical] : [technical, ...parts.sources];
  const found = await Promise.all(
    sources.map((source) => read(parts, source, { tenant, complete })),
  );
  return found.flat();
}

function completenessOf(complete: Completeness): TenantSample[] {
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
  const complete: Completeness = new Map();
  const samples = await readAll(parts, tenant, complete);
  return exposition([
    ...samples.map((sample) => ({ tenant: null, sample })),
    ...completenessOf(complete),
  ]);
}

/**
 * The figures of all tenants, each sample with its tenant as a label, which is empty for the installation's own.
 * `batuta_scrape_complete{source="tenants"}` is 0 when there are more tenants than were asked.
 */
export async function scrapeAll(parts: ScrapeParts): Promise<string> {
  const complete: Completeness = new Map();
  const known = await parts.tenants();
  const tenants = known.tenants.slice(0, MAX_TENANTS);
  note(complete, "tenants", known.isComplete && known.tenants.length <= MAX_TENANTS);
  const found = await inTurn([INSTALLATION, ...tenants], AT_ONCE, async (tenant) => {
    const samples = await readAll(parts, tenant, complete);
    return samples.map((sample) => ({ tenant, sample }));
  });
  return exposition([...found.flat(), ...completenessOf(complete)]);
}
