/**
 * Makes a dereferenced JSON Schema throw a RangeError when its parts are applied more than `most` times: references that
 * double from one to the next would otherwise keep whoever validates busy without end.
 *
 * It counts by a keyword that the validator (@cfworker/json-schema) reads of each part once for each value that it
 * applies the part to, so the parts must be a copy that is used for one judgement.
 */
export function limitSteps(
  parts: Readonly<Record<string, boolean | { $recursiveRef?: string | undefined }>>,
  most: number,
): void {
  let steps = 0;
  for (const part of new Set(Object.values(parts))) {
    if (typeof part === "boolean") continue;
    const { $recursiveRef } = part;
    Object.defineProperty(part, "$recursiveRef", {
      get: () => {
        steps += 1;
        if (steps > most) throw new RangeError("it takes too many steps");
        return $recursiveRef;
      },
    });
  }
}
