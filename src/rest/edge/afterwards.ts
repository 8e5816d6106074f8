import type { KeepAlive, RestContext } from "../route.ts";

/**
 * Has the invocation live on for work that its answer does not wait for, and that catches its own errors; also when
 * the client hangs up.
 */
export function keepAliveOf(context: RestContext): KeepAlive {
  return (work) => {
    try {
      context.executionCtx.waitUntil(work);
    } catch {
      // Hono throws where the face was called as a function, without an invocation: the work goes on by itself.
      return;
    }
  };
}
