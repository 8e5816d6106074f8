import type { Answer } from "../api/problem.ts";

/** A page of a list, as the API gives it. */
export interface ListPage<T> {
  items: T[];
  next_cursor: string | null;
}

/** Pages of a list, one behind the other, without a gap. */
export interface Chain<T> extends ListPage<T> {
  pages: number;
}

/**
 * Reads a list from its beginning, page by page, each from where the last one ended: nothing is left out or shown as it
 * was long ago, whatever has come, gone or moved since it was read before.
 *
 * @param read a page; null: the first one
 * @param isEnough whether to stop after these
 */
export async function readChain<T>(
  read: (cursor: string | null) => Promise<Answer<ListPage<T>>>,
  isEnough: (chain: Chain<T>) => boolean,
): Promise<Answer<Chain<T>>> {
  let chain: Chain<T> = { items: [], next_cursor: null, pages: 0 };
  do {
    const answer = await read(chain.next_cursor);
    if (!answer.ok) return answer;
    const { items, next_cursor } = answer.value;
    chain = { items: [...chain.items, ...items], next_cursor, pages: chain.pages + 1 };
  } while (chain.next_cursor !== null && !isEnough(chain));
  return { ok: true, value: chain };
}
