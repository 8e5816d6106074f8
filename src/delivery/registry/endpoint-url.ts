/** Where webhooks may go. */
export interface UrlPolicy {
  /** Lets http, loopback and private hosts pass: on a developer's machine only. */
  isLocalAllowed: boolean;
}

/** Names that mean this machine or this network (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`). */
const LOCAL_SUFFIX = /(^|\.)(localhost|local|internal|home\.arpa)$/;

/**
 * Why no webhook may be sent to this address; null when it is fine.
 *
 * Judged after parsing, because the parser turns every spelling of an address (0x7f000001, 2130706433, full-width
 * digits) into one (facts/webhooks.md §5). A public name that resolves to a private address is stopped by
 * `global_fetch_strictly_public` in production.
 */
export function urlFault(text: string, policy: UrlPolicy): string | null {
  // The parser drops line breaks and takes a backslash for a slash: what is refused must be what is sent.
  if (/[\s\\]/.test(text)) return "must not contain white space or backslashes";
  if (!URL.canParse(text)) return "must be an absolute URL";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "must not contain credentials";
  if (policy.isLocalAllowed) {
    return /^https?:$/.test(url.protocol) ? null : "must use http or https";
  }
  if (url.protocol !== "https:") return "must use https";
  return portFault(url.port) ?? hostFault(url.hostname);
}

function portFault(port: string): string | null {
  // The parser leaves 443 out. Lower ports are those of other protocols.
  return port === "" || Number(port) >= 1_024 ? null : "must use port 443 or one from 1024 on";
}

function hostFault(host: string): string | null {
  if (host.startsWith("[") || /^[\d.]+$/.test(host)) return "must name a host, not an IP address";
  if (host.endsWith(".")) return "must not end the host with a full stop";
  if (!host.includes(".")) return "must name a public host, not a single label";
  return LOCAL_SUFFIX.test(host) ? "must name a public host" : null;
}
