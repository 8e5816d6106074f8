import type { Handler } from "hono";

import type { RestEnv } from "./route.ts";

/**
 * Pages for people that the Worker hands out itself, so that they have its limits, its ids and its headers like any other
 * answer. What they are made of is served by the platform without the Worker, at no cost (wrangler.toml, assets).
 */
export const PAGES = ["/", "/start", "/docs"] as const;

/** Answers with a static file. What the file's own headers say (assets/_headers) stands. */
export function showPage(page: (request: Request) => Promise<Response>): Handler<RestEnv> {
  return async (context) => {
    context.set("route", context.req.path);
    const found = await page(context.req.raw);
    // The platform's own has headers that nobody may add to.
    return new Response(found.body, found);
  };
}
