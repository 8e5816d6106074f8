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
  {
    name: "agents",
    words: "agents",
    key: "a",
    load: () => import("./pages/agents/agents-page.tsx"),
    loadOne: () => import("./pages/agents/agent-page.tsx"),
  },
  {
    name: "webhooks",
    words: "webhooks",
    key: "w",
    load: () => import("./pages/webhooks/webhooks-page.tsx"),
    loadOne: () => import("./pages/webhooks/webhook-page.tsx"),
  },
  {
    name: "escalations",
    words: "escalations",
    key: "e",
    load: () => import("./pages/escalations/escalations-page.tsx"),
    loadOne: () => import("./pages/escalations/escalation-page.tsx"),
  },
  {
    name: "alerts",
    words: "alerts",
    key: "l",
    load: () => import("./pages/alerts/alerts-page.tsx"),
    loadOne: () => import("./pages/alerts/alert-page.tsx"),
  },
  {
    name: "keys",
    words: "keys",
    key: "k",
    load: () => import("./pages/keys/keys-page.tsx"),
  },
];
