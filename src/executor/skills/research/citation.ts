import { score as scoreOf } from "../score.ts";
import { standsAlone } from "../text/summarise.ts";
import type { Passage } from "./passages.ts";
import type { Candidate } from "./search.ts";

/** The place of an answer in a document: `passage` is exactly its text from `start` to `end` (UTF-16). */
export interface Citation {
  document_id: string;
  title: string | null;
  passage: string;
  position: { start: number; end: number; sentence: number };
  score: number;
}

/** Cites a passage, with the sentence before when it opens with "it" or "however" and could not be understood without. */
export function citationOf({ passage, score }: Candidate): Citation {
  const { document, before, end, sentence } = passage;
  const leans = !standsAlone({ text: quoteOf(passage) });
  const isJoined = leans && before !== null && !before.is_fragment;
  const start = isJoined ? before.start : passage.start;
  return {
    document_id: document.id,
    title: document.title ?? null,
    passage: document.text.slice(start, end),
    position: { start, end, sentence: isJoined ? before.sentence : sentence },
    score: scoreOf(score),
  };
}

/** The passage, exactly as its document has it. */
export function quoteOf({ document, start, end }: Passage): string {
  return document.text.slice(start, end);
}
