import { ok, refuse, type Result } from "../../lib/result.ts";
import type { AuditEntry } from "../../protocol/audit.ts";
import type { Page } from "../../protocol/keyset.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { CALLBACK_SECRET, type AuditBook } from "./audit.ts";
import type { WebhookStore } from "./webhook-store.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

interface PageQuery {
  cursor?: string | undefined;
  limit: number;
}

/** Shows a tenant what befell its webhooks. */
export class AuditReads {
  readonly #audit: AuditBook;
  readonly #webhooks: WebhookStore;

  constructor(audit: AuditBook, webhooks: WebhookStore) {
    this.#audit = audit;
    this.#webhooks = webhooks;
  }

  /** What befell a webhook, newest first, also a deleted one. Refuses `webhook_not_found` and a wrong cursor. */
  async list(tenant: string, webhook_id: string, page: PageQuery): Answer<Page<AuditEntry>> {
    return (await this.#isAudited(tenant, webhook_id))
      ? this.#audit.list(tenant, { subject: webhook_id }, page)
      : refuse(notFound(webhook_id));
  }

  /** All that befell a webhook, oldest first, read page by page as it is asked for. Refuses `webhook_not_found`. */
  async all(tenant: string, webhook_id: string): Answer<AsyncIterable<AuditEntry[]>> {
    return (await this.#isAudited(tenant, webhook_id))
      ? ok(this.#audit.all(tenant, { subject: webhook_id }))
      : refuse(notFound(webhook_id));
  }

  /** The rotations of the tenant's callback secret, newest first. Refuses a wrong cursor. */
  async ofCallbackSecret(tenant: string, page: PageQuery): Answer<Page<AuditEntry>> {
    return this.#audit.list(tenant, { subject: CALLBACK_SECRET }, page);
  }

  async #isAudited(tenant: string, webhook_id: string): Promise<boolean> {
    if (!webhook_id.startsWith("cb_")) return this.#webhooks.isKnown(tenant, webhook_id);
    // Nobody registers a callback endpoint: it is known by what befell it.
    const first = await this.#audit.list(tenant, { subject: webhook_id }, { limit: 1 });
    return first.ok && first.value.items.length > 0;
  }
}

function notFound(webhook_id: string): Refusal {
  return { code: "webhook_not_found", detail: `There is no webhook ${webhook_id}.` };
}
