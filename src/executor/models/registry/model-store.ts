import { and, asc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { modelTable } from "../../../db/model-table.ts";
import { storedModelSchema } from "../../../protocol/model.ts";
import type { ModelStore, StoredModel } from "./known-models.ts";

const { tenant: ofTenant, model_id: ofModel } = modelTable;

const columns = {
  model_id: modelTable.model_id,
  registration: modelTable.registration,
  api_key: modelTable.api_key,
  updated_at: modelTable.updated_at,
};

/** Registrations in D1. Every query goes by the primary key (tenant, model_id). */
export function createModelStore(database: D1Database): ModelStore {
  const db = drizzle(database);
  return {
    async list(tenant) {
      const rows = await db
        .select(columns)
        .from(modelTable)
        .where(eq(ofTenant, tenant))
        .orderBy(asc(ofModel));
      return rows.map(modelOf);
    },
    async put(tenant, { registration, ...rest }) {
      const row = { ...rest, registration: JSON.stringify(registration) };
      await db
        .insert(modelTable)
        .values({ tenant, ...row })
        .onConflictDoUpdate({ target: [ofTenant, ofModel], set: row });
    },
    async remove(tenant, model_id) {
      const removed = await db
        .delete(modelTable)
        .where(and(eq(ofTenant, tenant), eq(ofModel, model_id)))
        .returning({ model_id: ofModel });
      return removed.length > 0;
    },
  };
}

function modelOf(row: Omit<StoredModel, "registration"> & { registration: string }): StoredModel {
  return { ...row, registration: storedModelSchema.parse(JSON.parse(row.registration)) };
}
