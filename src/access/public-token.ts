import * as z from "zod";

import { base64url, bytesOf, fromBase64url } from "../lib/key-material.ts";
import type { Mac } from "../lib/mac.ts";
import { tenantIdSchema } from "../protocol/access.ts";
import { taskIdSchema } from "../protocol/primitives.ts";

/** What a public read token says. `expires_at` is unix seconds; `key_id` the key that made it. */
export interface PublicGrant {
  tenant: string;
  task_id: string;
  key_id: string;
  expires_at: number;
}

const FORM = /^pt_([A-Za-z0-9_-]{1,400})\.([A-Za-z0-9_-]{43})$/;

/** The grant as it travels; its first place names the form, so that another one can follow. */
const grantSchema = z
  .tuple([z.literal(1), tenantIdSchema, taskIdSchema, z.string().min(1), z.int()])
  .transform(([, tenant, task_id, key_id, expires_at]) => ({
    tenant,
    task_id,
    key_id,
    expires_at,
  }));

/** What is signed: the grant, and what stands for the key that made it, which the token itself does not hold. */
function signedText(grant: string, issuerMark: string): string {
  return `${grant}.${issuerMark}`;
}

/** A token `pt_<grant>.<mark>`, of at most 448 characters: it goes into addresses. */
export async function mintPublicToken(
  mac: Mac,
  grant: PublicGrant,
  issuerMark: string,
): Promise<string> {
  const { tenant, task_id, key_id, expires_at } = grant;
  const text = base64url(bytesOf(JSON.stringify([1, tenant, task_id, key_id, expires_at])));
  return `pt_${text}.${await mac.sign(signedText(text, issuerMark))}`;
}

/** What a token claims to grant, before anything of it is believed; null when it has not the form of one. */
export function claimOf(token: string): { grant: PublicGrant; text: string; mark: string } | null {
  const [, text, mark] = FORM.exec(token) ?? [];
  if (text === undefined || mark === undefined) return null;
  try {
    const parsed = grantSchema.safeParse(JSON.parse(textOf(text)));
    return parsed.success ? { grant: parsed.data, text, mark } : null;
  } catch {
    // No base64url or no JSON: somebody made it up.
    return null;
  }
}

function textOf(encoded: string): string {
  return new TextDecoder().decode(fromBase64url(encoded));
}

/** Whether a claim was signed here, on behalf of a key that this mark stands for. */
export function isGenuine(
  mac: Mac,
  { text, mark }: { text: string; mark: string },
  issuerMark: string,
): Promise<boolean> {
  return mac.isSigned(signedText(text, issuerMark), mark);
}
