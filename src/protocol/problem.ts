import * as z from "zod";

import { REFUSAL_CODES } from "./refusal.ts";

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: "URL of the page that explains the code" }),
    title: z.string(),
    status: z.int(),
    code: z.enum(REFUSAL_CODES).meta({
      description: "New codes may come: whoever does not know one goes by the status.",
    }),
    detail: z.string(),
    instance: z.string(),
    request_id: z.string(),
    errors: z
      .array(
        z.strictObject({
          pointer: z.string().meta({ description: "JSON Pointer to the field itself" }),
          code: z.string(),
          detail: z.string(),
          expected: z.string().optional(),
          received: z.string().optional(),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem", title: "Refusal (RFC 9457)" });
export type Problem = z.infer<typeof problemSchema>;
