/** One scripted answer; what is left out is 200, no headers, no body, no delay. */
export interface ScriptedReply {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Answers with the body that came, whatever `body` says. */
  isEcho?: boolean;
  /** Milliseconds to wait before answering. */
  delay_ms?: number;
}

/** One request as it arrived. `body_base64` holds the raw bytes, so that signatures can be checked over them. */
export interface ReceivedRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body_base64: string;
  /** Instant of arrival, milliseconds since the epoch. */
  at_ms: number;
}
