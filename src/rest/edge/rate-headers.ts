/** What is left of a quota. Seconds are whole. */
export interface RateState {
  /** Which quota it is: letters, digits, `-` and `_` alone, as it is sent between quotes. */
  name: string;
  /** Requests that a window allows, and how long a window is. */
  quota: number;
  window_s: number;
  remaining: number;
  /** When the quota is whole again. */
  reset_s: number;
}

/** The headers that tell of a quota (draft-ietf-httpapi-ratelimit-headers-10): its rule, and what is left of it. */
export function rateHeaders(state: RateState): Record<"RateLimit" | "RateLimit-Policy", string> {
  const { name, quota, window_s, remaining, reset_s } = state;
  return {
    "RateLimit-Policy": `"${name}";q=${quota};w=${window_s}`,
    RateLimit: `"${name}";r=${remaining};t=${reset_s}`,
  };
}
