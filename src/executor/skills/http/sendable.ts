import type { HttpRequest } from "../skill.ts";

/** Methods that a skill may use: those that a page may (Fetch Standard), which leaves out CONNECT and TRACE. */
export const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Methods whose repetition changes nothing that the first did not (RFC 9110 §9.2.1). */
export const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** Characters of one header's value and number of headers: what common servers take (8 KiB in all). */
const LONGEST_VALUE = 4_096;
const MOST_HEADERS = 50;

/** As large as a request to Batuta itself (protocol.md §7, Sizes). Characters. */
const LONGEST_BODY = 1_048_576;

/** A header's name is a token (RFC 9110 §5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

/**
 * Headers that belong to the connection (RFC 9110 §7.6.1), steer how a message is passed on, or name its host and
 * length: whoever sends them decides about more than his own request.
 */
const NOT_SENT =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|content-length|expect|via|forwarded|max-forwards|cdn-loop|alt-used|http2-settings|(proxy-|x-forwarded-|x-real-ip|cf-|sec-).*)$/i;

/**
 * Why a header may not be sent, without its value, which may be a credential; null when it may.
 *
 * Line breaks and other controls are refused rather than cut out: what is left would be another header.
 */
function headerFault(name: string, value: string): string | null {
  const shown = JSON.stringify(name.slice(0, 100));
  if (!TOKEN.test(name)) return `the header name ${shown} is not a token of RFC 9110`;
  if (NOT_SENT.test(name)) return `the header ${shown} belongs to the connection`;
  if (value.length > LONGEST_VALUE) return `the header ${shown} is longer than ${LONGEST_VALUE}`;
  // What is beyond Latin-1 cannot be sent as a header at all.
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    ? null
    : `the header ${shown} contains a line break or another character that no header may hold`;
}

/** Why these headers may not be sent together; null when they may. */
export function headersFault(headers: Readonly<Record<string, string>>): string | null {
  const names = Object.keys(headers);
  if (names.length > MOST_HEADERS) return `there are more than ${MOST_HEADERS} headers`;
  const twice = names.find((name, at) =>
    names.slice(0, at).some((other) => other.toLowerCase() === name.toLowerCase()),
  );
  if (twice !== undefined) return `the header ${JSON.stringify(twice)} is there twice`;
  for (const [name, value] of Object.entries(headers)) {
    const fault = headerFault(name, value);
    if (fault !== null) return fault;
  }
  return null;
}

/** Why a request may not be sent, whatever its address; null when it may. */
export function requestFault({ method, headers, body }: HttpRequest): string | null {
  const known: readonly string[] = METHODS;
  if (!known.includes(method)) return `the method must be one of ${METHODS.join(", ")}`;
  if (body !== undefined && SAFE_METHODS.includes(method)) return `${method} carries no body`;
  if (body !== undefined && body.length > LONGEST_BODY) return "the body is larger than 1 MiB";
  return headersFault(headers ?? {});
}
