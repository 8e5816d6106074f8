import type * as z from "zod";

import { ok } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import { faultsOf } from "../../../protocol/faults.ts";
import { refuseInput } from "../input-failure.ts";
import type { SkillFailure, SkillTask } from "../skill.ts";

/** Faults told at once: enough to mend the most of it. */
const SHOWN_FAULTS = 5;

/**
 * What a task asks for, read by a schema of `{input_data, configuration}`; otherwise a failure that names each place
 * as a JSON pointer below `parameters`, what is wrong there and what would be right.
 */
export function readParameters<Schema extends z.ZodType>(
  schema: Schema,
  { input_data, configuration }: SkillTask,
): Result<z.infer<Schema>, SkillFailure> {
  const given = { input_data, configuration };
  const parsed = schema.safeParse(given);
  if (parsed.success) return ok(parsed.data);
  const faults = faultsOf(parsed.error, given);
  const told = faults.slice(0, SHOWN_FAULTS).map(({ pointer, detail, expected, received }) => {
    const wanted = expected === undefined ? "" : `; expected ${expected}`;
    return `${pointer}: ${detail}${wanted}; received ${received ?? "nothing"}`;
  });
  const more = faults.length - told.length;
  return refuseInput(
    "invalid_parameters",
    `The parameters cannot be used: ${(told[0] ?? "").slice(0, 500)}.`,
    [...told, ...(more > 0 ? [`and ${more} more`] : [])].join("\n").slice(0, 2_000),
    ["Correct the named fields; nothing was sent and nothing was changed."],
  );
}
