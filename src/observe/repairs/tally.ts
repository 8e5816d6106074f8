import { NAMED_IDS, type Repaired, type RepairKind } from "../../protocol/repairs.ts";

/** Notes what came of something that a run looked at. */
export type NoteRepair = (what: RepairKind, tenant: string, id: string) => void;

/** Tenants of which one run tells; the record of a run stays small. */
const MOST_TENANTS = 50;

/** What one run did, tenant by tenant. */
export class RepairTally {
  readonly #tenants = new Map<string, Map<RepairKind, Repaired>>();

  /** Counts one more, and keeps its id while there are few. */
  readonly note: NoteRepair = (what, tenant, id) => {
    const ofTenant = this.#tenants.get(tenant) ?? new Map<RepairKind, Repaired>();
    const known = ofTenant.get(what) ?? { what, count: 0, ids: [] };
    const ids = known.ids.length < NAMED_IDS ? [...known.ids, id] : known.ids;
    ofTenant.set(what, { what, count: known.count + 1, ids });
    this.#tenants.set(tenant, ofTenant);
  };

  /** What it did for each tenant, for the first 50 of them. */
  get tenants(): Record<string, Repaired[]> {
    const told = [...this.#tenants].slice(0, MOST_TENANTS);
    return Object.fromEntries(told.map(([tenant, kinds]) => [tenant, [...kinds.values()]]));
  }
}
