import * as z from "zod";

import { instantSchema, schemaVersionSchema, taskIdSchema } from "./primitives.ts";

/** Asks for a token that shows one task to whoever has it. */
export const publicTokenRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    expires_in_seconds: z.int().min(60).max(604_800).default(3_600),
  })
  .meta({ id: "PublicTokenRequest", title: "Request for a public read token of one task" });

/** The token, and where a browser hears the task with it. */
export const publicTokenSchema = z
  .strictObject({
    token: z.string().meta({ description: "Shown once; nothing of it is stored." }),
    task_id: taskIdSchema,
    expires_at: instantSchema,
    stream_url: z
      .string()
      .meta({ description: "For EventSource: the stream with the token in its query." }),
  })
  .meta({ id: "PublicToken", title: "Token that reads one task and nothing else" });
