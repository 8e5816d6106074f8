import { describe, expect, it } from "vitest";

import { lessonsOf, wordsOf } from "../../src/history/lessons.ts";
import { at, eventOf, viewOf } from "../task-news.ts";

const news = (lessons_learned: unknown, type: "task_completed" | "task_progress") => ({
  tenant: "acme",
  view: viewOf({ task_id: "t", seq: 5, agent_id: "someone-later" }),
  events: [eventOf(4), eventOf(5, { type, data: { data: { lessons_learned } } })],
  escalation: null,
  isRebuild: false,
});

describe("the lessons of a task", () => {
  it("are those of its result, each with what it is found by", () => {
    expect(lessonsOf([news(["Régler l'unité d'abord!", "Ask early."], "task_completed")])).toEqual([
      {
        tenant: "acme",
        created_at: at(5),
        lesson_id: "les_t_5_0",
        task_id: "t",
        task_type: "data_analysis",
        agent_id: "exec-1",
        text: "Régler l'unité d'abord!",
        words: " regler l unite d abord ",
      },
      expect.objectContaining({ lesson_id: "les_t_5_1", words: " ask early " }),
    ]);
  });

  it("are none in other events, and none where the result has none", () => {
    expect(lessonsOf([news(["not a result"], "task_progress")])).toEqual([]);
    expect(lessonsOf([news(undefined, "task_completed")])).toEqual([]);
    expect(lessonsOf([])).toEqual([]);
  });
});

describe("the words of a text", () => {
  it("are in one plain form, whatever the script", () => {
    expect(wordsOf("Über-große  ÁRBOLES: 3x, привет!")).toEqual([
      "uber",
      "große",
      "arboles",
      "3x",
      "привет",
    ]);
    expect(wordsOf("?!")).toEqual([]);
  });
});
