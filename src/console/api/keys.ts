import { list, maybe, object, pageOf, text, type Read } from "../lib/shape.ts";

const key = object({
  key_id: text,
  name: text,
  tenant: text,
  scopes: list(text),
  state: text,
  created_at: text,
  expires_at: maybe(text),
  rotated_at: maybe(text),
  retiring_until: maybe(text),
  last_used_at: maybe(text),
});
export type Key = Read<typeof key>;

/** A page of GET /v1/keys. */
export const keyPage = pageOf(key);

/** An answer that shows a key this once: of its creation or its rotation. */
export const mintedKey = object({ key_id: text, name: text, key: text });
