import type { FunctionComponent } from "preact";

import type { PageProps } from "./parts/page.tsx";
import type { shellWords } from "./words/shell.ts";

type Load = () => Promise<{ Page: FunctionComponent<PageProps> }>;

/** A page of the console. Its code is read when somebody first goes there. */
export interface PageEntry {
  /** In the address, behind `#/`. */
  name: string;
  /** Its word in the navigation. */
  words: keyof (typeof shellWords)["en"];
  /** Goes there behind `g`. */
  key: string;
  load: Load;
  /** The page of one thing, where the address has an id behind the name; without it, that is the list's business. */
  loadOne?: Load;
}

/** All pages, in the order of the navigation. */
export const PAGES: readonly PageEntry[] = [
  {
    name: "overview",
    words: "overview",
    key: "o",
    load: () => import("./pages/overview/overview-page.tsx"),
  },
  {
    name: "tasks",
    words: "tasks",
    key: "t",
    load: () => import("./pages/tasks/tasks-page.tsx"),
    loadOne: () => import("./pages/task/task-page.tsx"),
  },
];
