/** Where webhooks may go. */
export interface UrlPolicy {
  /**
   * Lets http, loopback and private hosts pass, such as another container's: on a developer's machine only.
   * Link-local addresses stay refused: what is there is the machine's own metadata, with its credentials.
   */
  isLocalAllowed: boolean;
  /** Scheme, host and port by which the asking request came: our own address, which gets no webhooks. */
  ownOrigin?: string;
  /** Origins by which the installation says that it is reached: our own too, also when nobody asks (a queue's work). */
  ownOrigins?: readonly string[];
}

/** Names that mean this machine or this network (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`). */
const LOCAL_SUFFIX = /(^|\.)(localhost|local|internal|home\.arpa)$/;

/** Every spelling of this machine, after parsing; 0.0.0.0 and [::] reach it too. */
const THIS_MACHINE =
  /^((.+\.)?localhost|127\.[\d.]+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[\da-f]{2}:.+\])$/;

/** Link-local addresses after parsing, also inside an IPv6 one (RFC 3927, RFC 4291 §2.5.6). */
const LINK_LOCAL = /^(169\.254\.[\d.]+|\[fe[89ab][\da-f]:.*\]|\[::ffff:a9fe:.+\])\.?$/;

/** What DNS can know: labels of 1-63 characters, 253 in all without the final dot (RFC 1035 §2.3.4). */
const LONGEST_HOST = 253;
const LABELS = /^[^.]{1,63}(\.[^.]{1,63})*$/;

/**
 * Why no webhook may be sent to this address; null when it is fine.
 *
 * Judged after parsing, because the parser turns every spelling of an address (0x7f000001, 2130706433, full-width
 * digits) into one (facts/webhooks.md §5). What a public name stands for is `createHostCheck`'s to find out.
 */
export function urlFault(text: string, policy: UrlPolicy): string | null {
  // The parser drops line breaks, controls and what can't be seen, and takes a backslash for a slash: what is judged
  // must be what everybody reads.
  if (/[\s\\\p{Cc}\p{Cf}]/u.test(text)) {
    return "must not contain white space, control characters or backslashes";
  }
  if (!URL.canParse(text)) return "must be an absolute URL";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "must not contain credentials";
  return schemeFault(text, url, policy) ?? ownFault(url, policy) ?? publicFault(url, policy);
}

function schemeFault(text: string, url: URL, { isLocalAllowed }: UrlPolicy): string | null {
  if (isLocalAllowed && !/^https?:$/.test(url.protocol)) return "must use http or https";
  if (!isLocalAllowed && url.protocol !== "https:") return "must use https";
  // The parser would make a host of the first thing that it finds.
  return /^https?:\/\/[^/?#]/i.test(text) ? null : "must be an absolute URL with a host";
}

function ownFault(
  url: URL,
  { isLocalAllowed, ownOrigin, ownOrigins = [] }: UrlPolicy,
): string | null {
  const isOwn = [...(ownOrigin === undefined ? [] : [ownOrigin]), ...ownOrigins].some((origin) => {
    const own = new URL(origin);
    // In production every port of a host is the Worker's; a developer's receivers share its host.
    const isSamePort = !isLocalAllowed || portOf(url) === portOf(own);
    return isSamePort && machineOf(url) === machineOf(own);
  });
  return isOwn ? "must not be Batuta's own" : null;
}

function machineOf({ hostname }: URL): string {
  const host = hostname.replace(/\.$/, "");
  return THIS_MACHINE.test(host) ? "localhost" : host;
}

function portOf({ port, protocol }: URL): string {
  return port === "" ? (protocol === "https:" ? "443" : "80") : port;
}

function publicFault({ port, hostname }: URL, { isLocalAllowed }: UrlPolicy): string | null {
  if (isLocalAllowed) return LINK_LOCAL.test(hostname) ? "must not be a link-local address" : null;
  return portFault(port) ?? hostFault(hostname);
}

function portFault(port: string): string | null {
  // The parser leaves 443 out. Lower ports are those of other protocols.
  return port === "" || Number(port) >= 1_024 ? null : "must use port 443 or one from 1024 on";
}

function hostFault(host: string): string | null {
  if (host.startsWith("[") || /^[\d.]+$/.test(host)) return "must name a host, not an IP address";
  if (host.endsWith(".")) return "must not end the host with a full stop";
  if (!host.includes(".")) return "must name a public host, not a single label";
  if (host.length > LONGEST_HOST || !LABELS.test(host)) return "must name a host that DNS can know";
  return LOCAL_SUFFIX.test(host) ? "must name a public host" : null;
}
