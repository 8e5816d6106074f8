/** One scripted answer of a model; what is left out is a text "OK" with HTTP 200, at once, that ends as it should. */
export interface ModelReply {
  /** What the model says. */
  text?: string;
  /** Tools that it calls in place of, or after, saying something. A text is sent as arguments as it is, JSON or not. */
  tool_calls?: { name: string; arguments: Record<string, unknown> | string }[];
  /** Tokens that it tells; without: one for four characters. null: it tells none. */
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
  /** As the provider spells it; default `tool_calls` or `stop`. */
  finish_reason?: string;
  /** HTTP status; other than 200, or with a `body`, nothing of a model is answered. */
  status?: number;
  headers?: Record<string, string>;
  /** Answered as it is, streamed or not. */
  body?: string;
  /** Milliseconds before the first byte. */
  delay_ms?: number;
  /** Milliseconds between the parts of a streamed answer. */
  part_delay_ms?: number;
  /**
   * What goes wrong with the connection. silent: accepts the question and never answers; stalled: breaks off talking
   * after the first part and keeps the connection; cut: closes it in mid-answer; endless: never stops talking.
   */
  trouble?: "silent" | "stalled" | "cut" | "endless";
}

/** Replies by the model's name; `*` is for every name that has none. One a request, the last one repeats. */
export type ModelScript = Record<string, ModelReply[]>;

/** A question as it came. */
export interface AskedQuestion {
  path: string;
  headers: Record<string, string>;
  model: string;
  /** The whole JSON body. */
  body: Record<string, unknown>;
  /** Instant of arrival, milliseconds since the epoch. */
  at_ms: number;
}
