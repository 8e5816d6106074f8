/** The outcome of a rule: a value, or a refusal that says why not. Plain data, so it survives an RPC hop. */
export type Result<Value, Refused> = { ok: true; value: Value } | { ok: false; refusal: Refused };

/** A successful outcome. */
export function ok<Value>(value: Value): { ok: true; value: Value } {
  return { ok: true, value };
}

/** A refused outcome. */
export function refuse<Refused>(refusal: Refused): { ok: false; refusal: Refused } {
  return { ok: false, refusal };
}
