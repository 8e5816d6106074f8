import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

import type { RestEnv } from "../route.ts";

/** A year, as hstspreload.org asks for. Of subdomains nothing is said: they may be somebody else's. */
const HTTPS_ONLY = "max-age=31536000";

/** A switched protocol has no page, no cache and no frame. */
const SWITCHING_PROTOCOLS = 101;

/** Answers of the API are for their asker alone and are no documents: nothing in them may load, run or be framed. */
const secure = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  xFrameOptions: "DENY",
  permissionsPolicy: { camera: [], geolocation: [], microphone: [], payment: [] },
  strictTransportSecurity: false,
  // Of browsers that are gone, or of formats that are.
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  // A page that says something else of itself is believed.
  overwrite: false,
});

/** Gives every answer the headers that browsers protect their users by; over https, that it stays https. */
export const protect: MiddlewareHandler<RestEnv> = async (context, next) => {
  await next();
  const { headers, status } = context.res;
  if (status === SWITCHING_PROTOCOLS) return;
  await secure(context, async () => {});
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  if (context.req.url.startsWith("https:")) headers.set("Strict-Transport-Security", HTTPS_ONLY);
};
