import * as z from "zod";

import { noteKeySchema, noteListSchema, noteSchema, noteWriteSchema } from "../protocol/notes.ts";
import { taskIdSchema } from "../protocol/primitives.ts";
import { empty, json, leaseHeaders, replyWith, route } from "./route.ts";
import type { Route } from "./route.ts";

const taskParams = z.strictObject({ task_id: taskIdSchema });
const noteParams = z.strictObject({ task_id: taskIdSchema, key: noteKeySchema });

const READERS = ["orchestrate", "execute", "observe"] as const;
const EXECUTORS = ["execute"] as const;

const FOR_READERS =
  "For executors: of tasks that they hold or held. A `Lease-Token` in force is enough, too.";

/** What executors note on a task for themselves and for whoever has it after them. */
export const notesRoutes: readonly Route[] = [
  route({
    id: "list_notes",
    method: "GET",
    path: "/v1/tasks/:task_id/notes",
    tag: "Executors",
    summary: "What is noted on a task",
    description: `${FOR_READERS} Notes outlive an attempt, and not the end of the task, unless its \`keep_memory\` says so: then for as long as the task has its own memory.`,
    scopes: READERS,
    params: taskParams,
    headers: leaseHeaders,
    answers: { 200: json(noteListSchema, "The notes by key; none when nothing is noted any more") },
    refusals: ["task_not_found", "task_gone"],
    async handle({ notes }, { principal, params: { task_id }, headers }) {
      const found = await notes.list(principal, { task_id, token: headers["Lease-Token"] ?? null });
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "get_note",
    method: "GET",
    path: "/v1/tasks/:task_id/notes/:key",
    tag: "Executors",
    summary: "One note of a task",
    description: FOR_READERS,
    scopes: READERS,
    params: noteParams,
    headers: leaseHeaders,
    answers: { 200: json(noteSchema, "The note") },
    refusals: ["task_not_found", "task_gone", "note_not_found"],
    async handle({ notes }, { principal, params: { task_id, key }, headers }) {
      const at = { task_id, token: headers["Lease-Token"] ?? null };
      const found = await notes.get(principal, at, key);
      return replyWith(found, (body) => ({ status: 200, body }));
    },
  }),
  route({
    id: "put_note",
    method: "PUT",
    path: "/v1/tasks/:task_id/notes/:key",
    tag: "Executors",
    summary: "Note something on a task that you hold",
    description:
      "Takes the place of the note with this key. It does not renew the lease. When there is no room for it, nothing is written.",
    audit: "kept by the task's own log",
    scopes: EXECUTORS,
    params: noteParams,
    headers: leaseHeaders,
    body: noteWriteSchema,
    answers: { 200: json(noteSchema, "The note as it is now") },
    refusals: ["task_not_found", "task_gone", "lease_lost", "task_ended", "notes_full"],
    async handle({ notes }, { principal, params: { task_id, key }, headers, body }) {
      const at = { task_id, token: headers["Lease-Token"] ?? null };
      const written = await notes.put(principal, at, { key, value: body.value });
      return replyWith(written, (note) => ({ status: 200, body: note }));
    },
  }),
  route({
    id: "delete_note",
    method: "DELETE",
    path: "/v1/tasks/:task_id/notes/:key",
    tag: "Executors",
    summary: "Forget a note of a task that you hold",
    audit: "kept by the task's own log",
    scopes: EXECUTORS,
    params: noteParams,
    headers: leaseHeaders,
    answers: { 204: empty("It is gone") },
    refusals: ["task_not_found", "task_gone", "note_not_found", "lease_lost", "task_ended"],
    async handle({ notes }, { principal, params: { task_id, key }, headers }) {
      const at = { task_id, token: headers["Lease-Token"] ?? null };
      const removed = await notes.remove(principal, at, key);
      return replyWith(removed, () => ({ status: 204 }));
    },
  }),
];
