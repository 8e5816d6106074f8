import type { Act } from "./audit-acts.ts";
import { call } from "./batuta.ts";

/** Acts on the limits of requests; `key` makes a key and gives its id. */
export function limitActs(key: () => Promise<string>): Record<string, () => Promise<Act>> {
  return {
    change_limits: async () => {
      const limits = { total: 1_200, execute: null };
      return {
        method: "PATCH",
        path: "/v1/limits",
        body: { limits },
        subject: "default",
        detail: { limits, auto: null },
      };
    },
    set_key_limits: async () => {
      const key_id = await key();
      const limits = { total: 1_000, execute: 100, status: 500, admin: 20 };
      const path = `/v1/limits/keys/${key_id}`;
      return { method: "PUT", path, body: { limits }, subject: key_id, detail: { limits } };
    },
    delete_key_limits: async () => {
      const key_id = await key();
      const path = `/v1/limits/keys/${key_id}`;
      await call("PUT", path, { limits: { total: 100, execute: 10, status: 50, admin: 10 } });
      return { method: "DELETE", path, subject: key_id };
    },
  };
}
