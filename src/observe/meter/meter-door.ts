import * as z from "zod";

/* What isolates and other objects ask of the object that adds up the figures of a tenant. Payloads are JSON text. */

/** Figures by series, as in tally.ts. */
export const tallySchema = z.record(z.string().max(600), z.array(z.number()).min(1).max(40));

/** What a source has counted since what it told before. */
export const tellCallSchema = z.strictObject({
  /** Names an isolate's life. */
  source: z.string().min(1).max(40),
  /** Counts what a source tells, from 1: told again with the same number it is not counted again. */
  number: z.int().min(1),
  tally: tallySchema,
});
export type TellCall = z.infer<typeof tellCallSchema>;

/** The name of the object of a tenant; that of the installation itself has the tenant "". */
export function meterName(tenant: string): string {
  return `tenant/${tenant}`;
}

/** The figures of a tenant, as others call them over RPC. */
export interface MeterDoor {
  /** Adds a TellCall. Safe to repeat. */
  tell(call: string): Promise<void>;
  /** The totals since the tenant's first figure, a tally. What was read never becomes less. */
  read(): Promise<string>;
}
