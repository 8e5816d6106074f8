import { useEffect, useState } from "preact/hooks";

import { call, queryOf } from "../api/client.ts";
import type { Problem } from "../api/problem.ts";
import type { Shape } from "../lib/shape.ts";
import { useAnswer } from "./use-answer.ts";

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

interface Older<T> {
  /** Which list they belong to. */
  of: string;
  items: T[];
  cursor: string | null;
}

/** The first page, and behind it what was shown before and is not in it. */
function together<T>(
  first: { items: T[]; next_cursor: string | null } | null,
  older: Older<T> | null,
  keyOf: (item: T) => string,
): { rows: T[]; cursor: string | null } {
  if (first === null) return { rows: [], cursor: null };
  const seen = new Set(first.items.map(keyOf));
  const behind = older?.items.filter((item) => !seen.has(keyOf(item))) ?? [];
  return {
    rows: [...first.items, ...behind],
    cursor: older === null ? first.next_cursor : older.cursor,
  };
}

/**
 * A list of the API in its own order: its first page again and again, further ones when they are asked for. What has
 * been shown stays where new rows push it out of the first page.
 *
 * @param path without a query, or null to ask for nothing
 * @param keyOf the same function at each call
 */
export function usePages<T>(
  path: string | null,
  query: Query,
  shape: Shape<{ items: T[]; next_cursor: string | null }>,
  { keyOf, everyMs }: { keyOf: (item: T) => string; everyMs: number },
): Pages<T> {
  const address = path === null ? null : `${path}${queryOf({ ...query, limit: PAGE })}`;
  const first = useAnswer(address, shape, everyMs);
  const [older, setOlder] = useState<Older<T> | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    setOlder(null);
    setProblem(null);
  }, [address]);
  const kept = older?.of === address ? older : null;
  const { rows, cursor } = together(first.value, kept, keyOf);

  const showMore = async (): Promise<void> => {
    if (address === null || cursor === null) return;
    const answer = await call(`${path}${queryOf({ ...query, limit: PAGE, cursor })}`, shape);
    setProblem(answer.ok ? null : answer.problem);
    if (!answer.ok) return;
    setOlder({
      of: address,
      items: [...rows, ...answer.value.items],
      cursor: answer.value.next_cursor,
    });
  };
  return {
    value: first.value === null ? null : rows,
    problem: first.problem ?? problem,
    hasMore: cursor !== null,
    showMore: () => void showMore(),
    reload: () => {
      setOlder(null);
      first.reload();
    },
  };
}
