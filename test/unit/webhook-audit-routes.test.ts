import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { AuditEntry } from "../../src/protocol/audit.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const PATH = "/v1/webhooks/wh_1/audit";
const NDJSON = "application/x-ndjson";

const entry = (audit_id: string): AuditEntry => ({
  audit_id,
  at: "2026-11-22T10:00:00.000Z",
  actor: "key_1",
  actor_kind: "key",
  action: "webhook_paused",
  subject: "wh_1",
  subject_kind: "webhook",
  request_id: null,
  detail: { changes: {} },
});

/** Pages of one entry each, with a note of how many were read and whether the rest was given up. */
function pagesOf(count: number) {
  const seen = { read: 0, isGivenUp: false };
  async function* pages() {
    try {
      for (; seen.read < count;) {
        seen.read += 1;
        yield [entry(`aud_${seen.read}`)];
      }
    } finally {
      seen.isGivenUp = seen.read < count;
    }
  }
  return { seen, pages };
}

describe("the audit of an endpoint", () => {
  it("is read in pages", async () => {
    let asked: unknown;
    const page = { items: [entry("aud_1")], next_cursor: "c" };
    const { app } = createFakeApp({
      audit: {
        list: async (...query) => {
          asked = query;
          return ok(page);
        },
      },
    });

    const response = await send(app, `${PATH}?cursor=b&limit=1`, { key: "observe" });

    expect(asked).toEqual(["acme", "wh_1", { cursor: "b", limit: 1 }]);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(await response.json()).toEqual(page);
  });

  it.each([NDJSON, "text/html, Application/X-NDJSON;q=0.9"])(
    "is exported as NDJSON to who accepts %s",
    async (accept) => {
      const { app } = createFakeApp({ audit: { all: async () => ok(pagesOf(3).pages()) } });

      const response = await send(app, PATH, { headers: { Accept: accept } });

      expect(response.status).toBe(200);
      expect(response.headers.get("Content-Type")).toBe(NDJSON);
      const lines = (await response.text()).split("\n");
      expect(lines.slice(0, 3).map((line) => JSON.parse(line) as unknown)).toEqual(
        ["aud_1", "aud_2", "aud_3"].map((id) => entry(id)),
      );
      expect(lines.slice(3)).toEqual([""]);
    },
  );

  it("is read no faster than the client takes it, and no further than it wants", async () => {
    const { seen, pages } = pagesOf(100);
    const { app } = createFakeApp({ audit: { all: async () => ok(pages()) } });

    const response = await send(app, PATH, { headers: { Accept: NDJSON } });
    const reader = response.body?.getReader();
    const before = seen.read;
    await reader?.read();
    await reader?.cancel();

    expect(before).toBe(0);
    expect(seen).toEqual({ read: 1, isGivenUp: true });
  });

  it("breaks off and says so in the log when a page can't be read", async () => {
    async function* pages(): AsyncGenerator<AuditEntry[]> {
      yield [entry("aud_1")];
      throw new Error("no database");
    }
    const { app, lines } = createFakeApp({ audit: { all: async () => ok(pages()) } });

    const response = await send(app, PATH, { headers: { Accept: NDJSON } });

    await expect(response.text()).rejects.toThrow("no database");
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "error", event: "export_failed" }),
    );
  });

  it.each(["application/json", NDJSON])("is 404 as %s where there is none", async (accept) => {
    const missing = async () => refuse({ code: "webhook_not_found", detail: "none" } as const);
    const { app } = createFakeApp({ audit: { list: missing, all: missing } });

    const response = await send(app, PATH, { headers: { Accept: accept } });

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "webhook_not_found" });
  });
});

describe("the audit of the callback secret", () => {
  it("is for admins", async () => {
    const page = { items: [entry("aud_1")], next_cursor: null };
    const { app } = createFakeApp({ audit: { ofCallbackSecret: async () => ok(page) } });

    const response = await send(app, "/v1/callback-secret/audit", { key: "admin" });
    const refused = await send(app, "/v1/callback-secret/audit", { key: "observe" });

    expect(await response.json()).toEqual(page);
    expect(refused.status).toBe(403);
  });
});
