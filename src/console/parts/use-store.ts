import { useEffect, useState } from "preact/hooks";

import type { Store } from "../lib/store.ts";

/** The value of a store; the component is drawn again whenever it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(() => store.get());
  useEffect(() => {
    const look = (): void => setValue(() => store.get());
    // It may have changed between drawing and now.
    look();
    return store.subscribe(look);
  }, [store]);
  return value;
}
