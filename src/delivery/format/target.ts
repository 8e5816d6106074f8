import * as z from "zod";

/* What an endpoint's requests look like, and what of that differs from channel to channel. */

/**
 * In which form an endpoint is told. `standard` is a signed Standard Webhook; the others are what a provider's API
 * takes. The channel's secret is the endpoint's: an API key (resend), an auth token (twilio), a routing key (pagerduty),
 * the whole address (slack).
 */
export const formatSchema = z.discriminatedUnion("api", [
  z.strictObject({ api: z.literal("standard") }),
  z.strictObject({
    api: z.literal("resend"),
    from: z.string().min(1),
    to: z.array(z.string().min(1)).min(1),
  }),
  z.strictObject({
    api: z.literal("twilio"),
    account: z.string().min(1),
    from: z.string().min(1),
    to: z.array(z.string().min(1)).min(1),
  }),
  z.strictObject({ api: z.literal("pagerduty") }),
  z.strictObject({ api: z.literal("slack") }),
]);
export type Format = z.infer<typeof formatSchema>;

/** The part of a format that one API needs. */
export type FormatOf<Api extends Format["api"]> = Extract<Format, { api: Api }>;

/** The form of every endpoint that is no alert channel's. */
export const STANDARD: Format = { api: "standard" };
