import { useRef } from "preact/hooks";

import { call, queryOf } from "../api/client.ts";
import type { Problem } from "../api/problem.ts";
import { readChain, type ListPage } from "../lib/page-chain.ts";
import type { Shape } from "../lib/shape.ts";
import { useAsked } from "./use-answer.ts";

const PAGE = 50;

type Query = Record<string, string | undefined>;

/** What is known of a list that comes in pages. */
export interface Pages<T> {
  /** null until the first page is there. */
  value: readonly T[] | null;
  problem: Problem | null;
  hasMore: boolean;
  showMore: () => void;
  reload: () => void;
}

/**
 * A list of the API in its own order, again and again: its first page, and as many behind it as were asked for. All that
 * is shown is read again, so the more it is the rarer.
 *
 * @param path without a query, or null to ask for nothing
 * @param keyOf what tells items apart: one that moves while pages are read is shown once
 * @param everyMs pause for each page that is shown
 * @param cursorName how the route calls where to go on
 */
export function usePages<T>(
  path: string | null,
  query: Query,
  shape: Shape<ListPage<T>>,
  {
    keyOf,
    everyMs,
    cursorName = "cursor",
  }: { keyOf: (item: T) => string; everyMs: number; cursorName?: string },
): Pages<T> {
  const address = path === null ? null : `${path}${queryOf({ ...query, limit: PAGE })}`;
  const asked = useRef({ of: address, pages: 1 });
  if (asked.current.of !== address) asked.current = { of: address, pages: 1 };
  const { value, problem, reload } = useAsked(
    address,
    (signal) =>
      readChain(
        (cursor) =>
          call(`${path}${queryOf({ ...query, limit: PAGE, [cursorName]: cursor })}`, shape, {
            signal,
          }),
        ({ pages }) => pages >= asked.current.pages,
      ),
    () => everyMs * asked.current.pages,
  );
  return {
    value: value && [...new Map(value.items.map((item) => [keyOf(item), item])).values()],
    problem,
    hasMore: value !== null && value.next_cursor !== null,
    showMore: () => {
      asked.current.pages += 1;
      reload();
    },
    reload,
  };
}
