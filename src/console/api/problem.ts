import { list, number, object, text, type Read } from "../lib/shape.ts";

const fault = object({ pointer: text, detail: text, expected: text, received: text });

const problemBody = object({
  title: text,
  status: number,
  code: text,
  detail: text,
  request_id: text,
  errors: list(fault),
});

/** Why something did not work: a refusal of the server, or that it could not be reached (status 0). */
export type Problem = Read<typeof problemBody> & {
  /** It was a change, and nobody knows whether it has happened. */
  mayHaveHappened?: boolean;
};

/** What a call gives: the answer, or why there is none. Calls never throw, but for a bug. */
export type Answer<T> = { ok: true; value: T } | { ok: false; problem: Problem };

/** Reads a refusal; whatever stands between us and the server may answer in another form. */
export function problemOf(status: number, requestId: string | null, body: unknown): Problem {
  const read = problemBody(body);
  return {
    ...read,
    status,
    code: read.code || `http_${status}`,
    detail: read.detail || read.title || `HTTP ${status}`,
    request_id: read.request_id || (requestId ?? ""),
  };
}

/** Whoever asked has gone before there was an answer. */
export const ABANDONED: Problem = {
  title: "",
  status: 0,
  code: "abandoned",
  detail: "",
  request_id: "",
  errors: [],
};

/** As above, but the answer was good: it has been done. */
export const DONE_ANYWAY: Problem = { ...ABANDONED, code: "done_anyway" };

/** The problem of a server that does not answer. The page has words for it; the browser's say nothing to people. */
export const UNREACHABLE: Problem = {
  title: "",
  status: 0,
  code: "unreachable",
  detail: "",
  request_id: "",
  errors: [],
};
