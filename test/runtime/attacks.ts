import { env, exports } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";

import { call, submit } from "./batuta.ts";

/* What security.test.ts attacks the whole Worker with. */

/** Bytes of the largest body (protocol.md §7, Sizes). */
export const MEBIBYTE = 1_048_576;

/** Texts that some interpreter behind an API would carry out. */
export const INJECTIONS = [
  "'); DROP TABLE task; --",
  '" OR "1"="1',
  "<script>fetch('//evil.test')</script><img src=x onerror=alert(1)>",
  "line one\r\nSet-Cookie: admin=1\r\n\r\nHTTP/1.1 200 OK",
  "{{constructor.constructor('return this')()}} ${7*7} <%= 7*7 %> #{7*7}",
  "$where: sleep(1) | {$ne: null} | $.a[?(@.b)]..*",
  "../../etc/passwd\u0000.png",
  "\u202Eexe.\u2028\u{1F469}\u200D\u{1F4BB}",
];

/** Addresses inside, as the many ways to write them. */
export const INNER = [
  "http://127.0.0.1/",
  "https://127.0.0.1/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0177.0.0.1/",
  "https://127.1/",
  "https://0/",
  "https://10.0.0.1/",
  "https://169.254.169.254/latest/meta-data",
  "https://0xa9fea9fe/",
  "https://100.64.0.1/",
  "https://[::1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[fd00::1]/",
  "https://[fe80::1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://１２７.０.０.１/",
  "https://%31%32%37.0.0.1/",
  "https://localhost/",
  "https://app.localhost/",
  "https://metadata.google.internal/",
  "https://printer.local/",
  "https://intranet/",
  "https://hooks.example.com@127.0.0.1/",
  "file:///etc/passwd",
  "gopher://127.0.0.1:6379/",
  "https://hooks.example.com:22/",
  "https://private.dns.test/",
  "https://alias.dns.test/",
  "https://half.dns.test/",
  "https://mapped.dns.test/",
  "https://169.254.169.254.nip.io/",
  "https://batuta.test/v1/keys",
];

/** An executor that can sign, and the task that it holds. */
export async function signing() {
  const agent_id = `signs-${crypto.randomUUID().slice(0, 8)}`;
  const registered = await call<{ secret: string }>("PUT", `/v1/agents/${agent_id}`, {
    capabilities: [agent_id],
  });
  const { task_id } = await submit({ requires: { capabilities: [agent_id] } });
  const claimed = await call<{ tasks: { lease: { token: string } }[] }>(
    "POST",
    `/v1/agents/${agent_id}/claim`,
    { wait_seconds: 5 },
  );
  const token = claimed.body.tasks[0]?.lease.token ?? "";
  return { agent_id, task_id, token, secret: registered.body.secret };
}

/** An executor with what it signs by, and what it holds. */
export type Signing = Awaited<ReturnType<typeof signing>>;

/** Its message that the task has begun. */
export const startedBy = ({ agent_id, task_id }: Signing) => ({
  notification_id: `${task_id}-started`,
  notification_type: "task_started",
  task_id,
  agent_id,
  timestamp: new Date().toISOString(),
  data: { task_type: "research", estimated_duration: 10, complexity: "low" },
});

/** Headers of a Standard Webhooks signature, made by another library than ours. */
export function signatureOf(
  body: object,
  { secret, token }: Pick<Signing, "secret" | "token">,
  at = new Date(),
): Record<string, string> {
  const id = `m-${crypto.randomUUID()}`;
  return {
    authorization: "",
    "lease-token": token,
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, at, JSON.stringify(body)),
  };
}

/** Sends without a key what those headers sign. */
export async function sendSigned(body: object, headers: Record<string, string>) {
  const { authorization: _none, ...rest } = headers;
  const response = await exports.default.fetch("https://batuta.test/v1/notifications", {
    method: "POST",
    headers: { "content-type": "application/json", ...rest },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json<Record<string, unknown>>() };
}

/** A POST of a task whose body is not one JSON text. */
export function postRaw(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return exports.default.fetch("https://batuta.test/v1/tasks", {
    method: "POST",
    headers: {
      authorization: `Bearer ${env.BATUTA_ADMIN_KEY}`,
      "content-type": "application/json",
      ...headers,
    },
    body,
  });
}

/** Mebibytes of spaces that say nothing of their number. */
export function spaces(mebibytes: number): ReadableStream<Uint8Array> {
  let left = mebibytes * 16;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) return controller.close();
      left -= 1;
      controller.enqueue(new Uint8Array(MEBIBYTE / 16).fill(0x20));
    },
  });
}
