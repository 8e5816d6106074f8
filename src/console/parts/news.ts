import { createStore } from "../lib/store.ts";

/** What was last said aloud; `turn` tells two equal sentences apart. `tone` colours the note that is shown. */
export interface News {
  text: string;
  tone: "good" | "bad" | null;
  turn: number;
}

/** The last piece of news. The shell reads it out (aria-live), and shows it where it has a tone. */
export const news = createStore<News>({ text: "", tone: null, turn: 0 });

/** Reads something out to those who listen to the page, without showing it. */
export function announce(text: string): void {
  news.set({ text, tone: null, turn: news.get().turn + 1 });
}

/** Shows a short note for some seconds, and reads it out: what came of an action. */
export function notify(text: string, tone: "good" | "bad" = "good"): void {
  news.set({ text, tone, turn: news.get().turn + 1 });
}
