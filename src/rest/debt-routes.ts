import * as z from "zod";

import {
  cleanupDebtViewSchema,
  debtSettlementSchema,
  debtsQuerySchema,
} from "../protocol/cleanup-debt.ts";
import { pageOf } from "../protocol/queries.ts";
import { answered } from "./audit-rule.ts";
import { json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const debtParams = z.strictObject({ debt_id: pathIdSchema });

/** What the ends of tasks left undone, and who sees to it. */
export const debtRoutes: readonly Route[] = [
  route({
    id: "list_cleanup_debt",
    method: "GET",
    path: "/v1/cleanup-debt",
    tag: "Tasks",
    summary: "What the ends of tasks left undone, newest first",
    description:
      "Batuta tries to repair what is open by itself, after 1, 2, 4 … 60 minutes, until it expires.",
    scopes: ["orchestrate", "observe"],
    query: debtsQuerySchema,
    answers: { 200: json(pageOf(cleanupDebtViewSchema, "CleanupDebtPage"), "A page of debts") },
    refusals: ["unavailable"],
    async handle({ debts }, { principal, query }) {
      const page = await debts.list(principal, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_cleanup_debt",
    method: "GET",
    path: "/v1/cleanup-debt/:debt_id",
    tag: "Tasks",
    summary: "A cleanup debt, and what the last try said",
    description:
      "A key with the scope execute alone sees debts of tasks that its agents had, and those that its agents own.",
    scopes: ["orchestrate", "execute", "observe"],
    params: debtParams,
    answers: { 200: json(cleanupDebtViewSchema, "The debt") },
    refusals: ["debt_not_found", "unavailable"],
    async handle({ debts }, { principal, params }) {
      const found = await debts.get(principal, params.debt_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "settle_cleanup_debt",
    method: "POST",
    path: "/v1/cleanup-debt/:debt_id/settle",
    tag: "Tasks",
    summary: "Say that a cleanup debt is settled, once",
    description:
      "Batuta takes your word for it and tries no more. A key that may execute but not orchestrate settles what its own agent owes.",
    audit: {
      action: "cleanup_debt_settled",
      kind: "cleanup_debt",
      subject: ({ params }) => params.debt_id,
      detail: ({ body }, reply) => ({
        task_id: answered(reply, "task_id"),
        has_note: body.note !== undefined,
      }),
    },
    scopes: ["orchestrate", "execute"],
    params: debtParams,
    body: debtSettlementSchema,
    answers: { 200: json(cleanupDebtViewSchema, "The settled debt") },
    refusals: ["forbidden", "agent_not_yours", "debt_not_found", "debt_closed", "unavailable"],
    async handle({ debts }, { principal, params, body }) {
      const settled = await debts.settle(principal, params.debt_id, body);
      return replyWith(settled, (debt) => ({ status: 200, body: debt }));
    },
  }),
];
