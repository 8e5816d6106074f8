import type { IncomingMessage } from "node:http";

import { Webhook } from "standardwebhooks";
import { z } from "zod";

const SIGNED = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/** The body of a request as text. */
export async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

/** Whether a request with this body is signed with a secret, by Standard Webhooks. */
export function isSignedWith(secret: string, body: string, request: IncomingMessage): boolean {
  const headers = Object.fromEntries(SIGNED.map((name) => [name, String(request.headers[name])]));
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    // What is wrong with it does not matter here.
    return false;
  }
}
