import ipaddr from "ipaddr.js";

/** The account of all whom the platform names no address of. */
const UNKNOWN = "unknown";

/** Parts of 16 bits of an IPv6 address that name a site; the rest is the site's own to choose from (RFC 6177 §2). */
const SITE_PARTS = 4;

/**
 * Under what an address is counted: IPv4 as it is, also inside IPv6; IPv6 by its /64, because whoever has one address
 * of it has them all. `unknown` for none, and for what is no address.
 *
 * @param header `CF-Connecting-IP`, which the platform sets and nobody else can
 */
export function accountOfAddress(header: string | undefined): string {
  const text = header?.trim();
  if (text === undefined || !ipaddr.isValid(text)) return UNKNOWN;
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4) return address.toString();
  const site = address.parts.slice(0, SITE_PARTS).map((part) => part.toString(16));
  return `${site.join(":")}::/64`;
}
