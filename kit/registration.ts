import { z } from "zod";

/* The registration of the executor under test, as Batuta is to have it while the kit stands in between. Pure. */

/** What the kit sets labels under, so that a task can be for this executor and its rival alone. */
export const LABEL = "batuta_kit";

const registrationSchema = z.looseObject({
  labels: z.record(z.string(), z.unknown()).optional(),
  url: z.string().nullish(),
});

/** A registration as the kit passes it on: with its label, and with pushes that come to the kit's own address. */
export function adopted(
  registration: unknown,
  { run, pushUrl }: { run: string; pushUrl: string },
): { registration: unknown; url: string | null } {
  const read = registrationSchema.safeParse(registration);
  if (!read.success) return { registration, url: null };
  const { labels = {}, url } = read.data;
  return {
    registration: {
      ...read.data,
      labels: { ...labels, [LABEL]: run },
      ...(typeof url === "string" && { url: pushUrl }),
    },
    url: url ?? null,
  };
}

/** The answer to a registration as the executor would have had it without the kit. */
export function restored(view: unknown, url: string | null): unknown {
  const read = registrationSchema.safeParse(view);
  if (!read.success) return view;
  const labels = Object.fromEntries(
    Object.entries(read.data.labels ?? {}).filter(([name]) => name !== LABEL),
  );
  return { ...read.data, labels, ...(url !== null && { url }) };
}

const viewSchema = z.object({
  agent_id: z.string(),
  capabilities: z.array(z.string()),
  task_types: z.array(z.string()),
  labels: z.record(z.string(), z.unknown()),
  slots: z.int(),
  pools: z.array(z.string()),
  url: z.string().nullable(),
  weight: z.number(),
  version: z.string().nullable(),
});

/** What of an executor's view can be registered again. */
export function registrationIn(view: unknown): Record<string, unknown> {
  const { agent_id: _id, url, version, ...rest } = viewSchema.parse(view);
  return { ...rest, ...(url !== null && { url }), ...(version !== null && { version }) };
}
