import { refuse } from "../../lib/result.ts";
import type { JsonValue, SkillFailure } from "./skill.ts";

/**
 * A refusal of a skill to work on what it was given.
 *
 * Never worth a retry: the same input would be refused again.
 *
 * @param cause class of the root cause; also the suffix of `error_type`
 * @param detail what is wrong, in one sentence
 * @param evidence what was seen, so that the reader need not guess
 * @param suggestions what would make the task succeed
 */
export function refuseInput(
  cause: string,
  detail: string,
  evidence: string,
  suggestions: string[],
): { ok: false; refusal: SkillFailure } {
  return refuse({
    error_type: `input_${cause.replace(/^input_/, "")}`,
    error_message: detail,
    root_cause: { class: cause, detail, evidence },
    recovery_suggestions: suggestions,
    retry_recommended: false,
  });
}

/** A refusal of one member of the configuration. @param rule what it must be, such as `must be "en" or "es"` */
export function refuseOption(
  name: string,
  rule: string,
  value: JsonValue | undefined,
): { ok: false; refusal: SkillFailure } {
  return refuseInput(
    "invalid_configuration",
    `configuration.${name} ${rule}.`,
    `It is ${JSON.stringify(value).slice(0, 200)}.`,
    [`Correct configuration.${name} or leave it out.`],
  );
}
