import { describe, expect, it } from "vitest";

import { assess } from "../../src/executor/quality/assess.ts";
import type { QualityQuestion } from "../../src/executor/quality/assessment.ts";
import { codesOf, questionOf } from "./quality-question.ts";

/** Blocking codes and all codes of the look at the meaning. */
function meaningOf(given: Partial<QualityQuestion>) {
  const found = assess(questionOf(given)).findings.filter(({ check }) => check === "semantic");
  return {
    blocking: codesOf(found.filter(({ is_blocking }) => is_blocking)),
    advice: codesOf(found.filter(({ is_blocking }) => !is_blocking)),
  };
}

describe("an output that contradicts its input", () => {
  const documents = [
    { id: "doc-1", text: "The pump delivered 480 litres an hour in March, at 2.46 bar." },
    { id: "doc-2", text: "In April the pump was replaced by the night shift." },
  ];
  const description = "What did the pump deliver, and when was it replaced?";
  const ask = (answer: string, citations: { document_id: string; quote: string }[] = []) =>
    meaningOf({
      task_type: "research",
      description,
      input_data: { documents },
      output: { answer, citations },
    });
  const ANSWER = "The pump delivered 480 litres an hour and was replaced in April.";

  it("passes with true citations, whatever their marks and breaks", () => {
    expect(
      ask(ANSWER, [
        { document_id: "doc-1", quote: "“The pump delivered\n480 litres an hour”" },
        { document_id: "doc-2", quote: "the pump was replaced … by the night shift" },
      ]),
    ).toEqual({ blocking: [], advice: [] });
  });

  it.each<[string, { document_id: string; quote: string }, string]>([
    [
      "a document that was not given",
      { document_id: "doc-7", quote: "The pump delivered" },
      "invented_source",
    ],
    [
      "a quotation that is nowhere",
      { document_id: "doc-1", quote: "The pump delivered 900 litres an hour" },
      "invented_quote",
    ],
    [
      "a quotation of another document",
      { document_id: "doc-1", quote: "In April the pump was replaced" },
      "wrong_source",
    ],
  ])("fails by citing %s", (_, citation, code) => {
    expect(ask(ANSWER, [citation]).blocking).toEqual([code]);
  });

  it("fails by marks of documents that were not given", () => {
    expect(ask("The pump delivered 480 litres [doc-1] and was replaced [doc-3].").blocking).toEqual(
      ["invented_source"],
    );
    expect(
      ask("The pump delivered 480 litres [doc-1] and was replaced [doc-2] [sic].").blocking,
    ).toEqual([]);
  });

  it("fails by figures that it says its source states", () => {
    expect(
      ask(
        "According to the document, the pump delivered 520 litres an hour before it was replaced.",
      ).blocking,
    ).toEqual(["figure_not_in_input"]);
    expect(
      ask(
        "According to the document, the pump delivered 480 litres an hour at 2.5 bar before it was replaced.",
      ).blocking,
    ).toEqual([]);
    expect(
      ask("On the whole the pump delivered about 11,520 litres a day before it was replaced.")
        .blocking,
    ).toEqual([]);
  });
});
