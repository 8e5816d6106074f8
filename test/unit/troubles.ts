import { assign, later, live, notificationOf, notify, step, tick } from "../task-life.ts";
import type { Life } from "../task-life.ts";

/** What the clock brings, so many seconds later. */
export const after = (life: Life, seconds: number): Life => step(later(life, seconds), tick).life;

/** The life goes on to a success at the hands of another executor. */
export const succeeded = (life: Life): Life =>
  live(
    life,
    assign(2, "bob"),
    notify(notificationOf("task_started", {}, { agent_id: "bob" }), "token-2"),
    notify(notificationOf("task_completed", {}, { agent_id: "bob" }), "token-2"),
  );

/** A life in which something goes wrong, and what the post-mortem has to say of it: a part of each text. */
export interface Case {
  of: string;
  life: () => Life;
  entries: { class: string; what: string; effect: string; action: string }[];
  /** Absent where what it says is told by another case. */
  advice?: string[];
}
