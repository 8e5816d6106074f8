import { env } from "cloudflare:workers";

import { faceOf } from "../../src/services-face.ts";

/** D1 that can be taken away: everything else is the real thing. */
export function fragileWorld() {
  const database = { isDown: false, calls: 0 };
  const DB = new Proxy(env.DB, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        database.calls += 1;
        if (database.isDown) throw new Error("D1_ERROR: the database is not there");
        return Reflect.apply(member, target, args);
      };
    },
  });
  const face = faceOf({ ...env, DB });
  const call = async <Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await face.request(`https://batuta.test${path}`, {
      method,
      headers: {
        authorization: `Bearer ${env.BATUTA_ADMIN_KEY}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { response, status: response.status, body: await response.json<Body>() };
  };
  return { call, database };
}
