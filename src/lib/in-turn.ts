/**
 * Does work for each item, begun in their order, at most `most` at a time; the results in that order.
 *
 * @throws what the first failing work threw; work that was begun goes on, and other items may still be begun
 */
export async function inTurn<Item, Value>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Value>,
): Promise<Value[]> {
  const results: Value[] = [];
  // One iterator for all: whoever is free takes the next item.
  const waiting = items.entries();
  const takeAll = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, takeAll));
  return results;
}
