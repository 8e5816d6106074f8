import * as z from "zod";

import { ok } from "../lib/result.ts";
import {
  forgetQuerySchema,
  forgottenSchema,
  memoriesQuerySchema,
  memoryItemSchema,
  memoryRecordSchema,
  memoryStatementSchema,
} from "../protocol/memory.ts";
import { pageOf } from "../protocol/queries.ts";
import { answered, answeredCount } from "./audit-rule.ts";
import { empty, json, pathIdSchema, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const memoryParams = z.strictObject({ memory_id: pathIdSchema });

// Memories are of all tasks of the tenant, of which an executor's key sees only its own.
const READERS = ["orchestrate", "observe"] as const;
const WRITERS = ["orchestrate"] as const;

/** What the built-in executor remembers of its tasks, what people tell it, and forgetting. */
export const memoryRoutes: readonly Route[] = [
  route({
    id: "list_memories",
    method: "GET",
    path: "/v1/memories",
    tag: "Tasks",
    summary: "What the built-in executor remembers",
    description:
      "With `q` what is near to it, by the search that a run's own memories come from: valid memories, best first, in one page. Without it all, newest first, also what is valid no more.",
    scopes: READERS,
    query: memoriesQuerySchema,
    answers: { 200: json(pageOf(memoryItemSchema, "MemoryPage"), "A page of memories") },
    async handle({ memories }, { principal, query }) {
      const page = await memories.list(principal.tenant, query);
      return replyWith(page, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_memory",
    method: "GET",
    path: "/v1/memories/:memory_id",
    tag: "Tasks",
    summary: "One memory, also one that is valid no more",
    scopes: READERS,
    params: memoryParams,
    answers: { 200: json(memoryRecordSchema, "The memory") },
    refusals: ["memory_not_found"],
    async handle({ memories }, { principal, params }) {
      const found = await memories.get(principal.tenant, params.memory_id);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "state_memory",
    method: "POST",
    path: "/v1/memories",
    tag: "Tasks",
    summary: "Tell the built-in executor a fact or a lesson",
    description:
      "It is put before later runs that are near to it, quoted as data. A fact supersedes the one of its topic; one that says what is valid already is not written again.",
    audit: {
      action: "memory_stated",
      kind: "memory",
      subject: (_request, reply) => answered(reply, "memory_id") ?? null,
      detail: ({ body }) => ({ kind: body.kind, topic: body.topic ?? null }),
    },
    scopes: WRITERS,
    body: memoryStatementSchema,
    answers: {
      201: json(memoryRecordSchema, "Written; `Location` is its address"),
      200: json(memoryRecordSchema, "It was known already"),
    },
    async handle({ memories }, { principal, body }) {
      const { record, isNew } = await memories.state(principal.tenant, body);
      const headers = { Location: `/v1/memories/${record.memory_id}` };
      return ok({ status: isNew ? 201 : 200, body: record, headers });
    },
  }),
  route({
    id: "delete_memory",
    method: "DELETE",
    path: "/v1/memories/:memory_id",
    tag: "Tasks",
    summary: "Forget one memory",
    description: "What it superseded does not become valid again.",
    audit: {
      action: "memory_forgotten",
      kind: "memory",
      subject: ({ params }) => params.memory_id,
    },
    scopes: WRITERS,
    params: memoryParams,
    answers: { 204: empty("It is gone") },
    refusals: ["memory_not_found"],
    async handle({ memories }, { principal, params }) {
      const removed = await memories.remove(principal.tenant, params.memory_id);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
  route({
    id: "forget_task",
    method: "DELETE",
    path: "/v1/memories",
    tag: "Tasks",
    summary: "Forget what comes from a task: memories, and results that could be given again",
    description:
      "The task itself stays. What it leaves when it ends after this is written: submit it with `keep_memory: never` to prevent that.",
    audit: {
      action: "task_forgotten",
      kind: "task",
      subject: ({ query }) => query.task_id,
      detail: (_request, reply) => ({
        memories: answeredCount(reply, "memories"),
        results: answeredCount(reply, "results"),
      }),
    },
    scopes: WRITERS,
    query: forgetQuerySchema,
    answers: { 200: json(forgottenSchema, "What was forgotten") },
    async handle({ memories }, { principal, query }) {
      return ok({ status: 200, body: await memories.forget(principal.tenant, query.task_id) });
    },
  }),
];
