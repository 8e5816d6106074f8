import { wordsOf } from "../../skills/language.ts";
import type { JsonObject, JsonValue } from "../../skills/skill.ts";
import { readDocuments, type SourceDocument } from "../../skills/text/read-documents.ts";
import type { Finding } from "../assessment.ts";
import type { Piece, Reading } from "../pieces.ts";
import { proseOf } from "./words.ts";

const MAX_FINDINGS = 20;
const ID_KEYS = ["document_id", "doc_id", "source_id"];
const QUOTE_KEYS = ["quote", "quotation", "passage", "excerpt"];
/** Shorter quotes are found anywhere, or nowhere, by chance. */
const SHORTEST_QUOTE = 12;
/** Figures up to a dozen are mostly counts that the writer made. */
const SMALL = 12;
const MAX_SENTENCES = 2_000;
const LONGEST_SENTENCE = 2_000;

interface Citation {
  at: string;
  document_id: string;
  quote: string | null;
}

function citationsOf(value: JsonValue, found: Citation[], at = ""): Citation[] {
  if (value === null || typeof value !== "object" || found.length >= 500) return found;
  if (at.split("/").length > 12) return found;
  if (!Array.isArray(value)) {
    const member = value as { [key: string]: JsonValue };
    const text = (keys: readonly string[]): string | null => {
      for (const key of keys) {
        const said = Object.hasOwn(member, key) ? member[key] : undefined;
        if (typeof said === "string") return said;
      }
      return null;
    };
    const document_id = text(ID_KEYS);
    if (document_id !== null) found.push({ at, document_id, quote: text(QUOTE_KEYS) });
  }
  for (const [key, inner] of Object.entries(value)) citationsOf(inner, found, `${at}/${key}`);
  return found;
}

/** A text as quotes are compared: words alone, whatever marks and breaks stand between them. */
function bare(text: string): string {
  return wordsOf(text.normalize("NFKC")).join(" ");
}

/** Places where a quote leaves something out. */
function partsOf(quote: string): string[] {
  return quote
    .split(/\[?(?:\.\.\.|…)\]?/)
    .map(bare)
    .filter((part) => part.length >= SHORTEST_QUOTE);
}

/**
 * What an output attributes to given documents and these don't have: ids of documents that were never given, and
 * quotations that stand in no document, or in another one than is said.
 */
export function citationFindings(output: JsonValue, input: JsonObject): Finding[] {
  const read = readDocuments(input);
  if (!read.ok) return [];
  const texts = new Map(read.value.map(({ id, text }) => [id, bare(text)]));
  const ids = [...texts.keys()].slice(0, 10).join(", ");
  const found = citationsOf(output, []).flatMap(({ at, document_id, quote }): Finding[] => {
    const text = texts.get(document_id);
    if (text === undefined) {
      const detail = `no document "${document_id.slice(0, 100)}" was given; there are ${ids}`;
      return [finding("invented_source", at, detail)];
    }
    if (quote === null || partsOf(quote).every((part) => text.includes(part))) return [];
    const elsewhere = [...texts].find(([, other]) =>
      partsOf(quote).every((part) => other.includes(part)),
    );
    return [
      elsewhere === undefined
        ? finding(
            "invented_quote",
            at,
            `"${quote.slice(0, 120)}" does not stand in document ${document_id}`,
          )
        : finding(
            "wrong_source",
            at,
            `"${quote.slice(0, 120)}" stands in document ${elsewhere[0]}`,
          ),
    ];
  });
  return [...found, ...bracketFindings(output, read.value)].slice(0, MAX_FINDINGS);
}

function shapeOf(id: string): string {
  return id.toLowerCase().replaceAll(/\d+/g, "#");
}

/** Marks such as [doc-9] where documents are called doc-1 to doc-3. */
function bracketFindings(output: JsonValue, documents: readonly SourceDocument[]): Finding[] {
  const ids = new Set(documents.map(({ id }) => id.toLowerCase()));
  const shapes = new Set([...ids].map(shapeOf).filter((shape) => /[a-z].*#|#.*[a-z]/.test(shape)));
  if (shapes.size === 0) return [];
  const marks = new Set(
    JSON.stringify(output)
      .slice(0, 500_000)
      .match(/\[[\w .:-]{1,60}\]/g) ?? [],
  );
  return [...marks].flatMap((mark) => {
    const id = mark.slice(1, -1).toLowerCase();
    return shapes.has(shapeOf(id)) && !ids.has(id)
      ? [finding("invented_source", "", `no document ${mark} was given`)]
      : [];
  });
}

function finding(code: string, location: string, detail: string, is_blocking = true): Finding {
  return { check: "semantic", code, location, detail, is_blocking };
}

const SOURCE =
  "document|documents|text|report|article|source|sources|file|input|documento|documentos|texto|informe|artículo|fuente|fuentes|archivo";
const STATED = new RegExp(
  String.raw`\b(?:according to (?:the|this) (?:given |attached )?(?:${SOURCE})|the (?:given |attached )?(?:${SOURCE}) (?:states?|says?|reports?|mentions?|gives?|puts?)|según (?:el|la|los|las) (?:${SOURCE})|(?:el|la|los|las) (?:${SOURCE}) (?:dicen?|indican?|afirman?|mencionan?))(?!\p{L})`,
  "iu",
);

/** Values that a written number may have: "1.234" is a thousand or one and a bit, by the writer's language. */
function valuesOf(written: string): number[] {
  const plain = written.replace(/[.,]$/, "");
  return [plain.replaceAll(",", ""), plain.replaceAll(".", "").replace(",", ".")]
    .map(Number)
    .filter(Number.isFinite);
}

function numbersIn(text: string): string[] {
  return text.match(/\d[\d.,]{0,30}/g) ?? [];
}

/**
 * Numbers that a text says its sources state ("according to the document, 480 …", "el informe indica 480") and that
 * stand neither in the input nor in the description, also not rounded. Computed figures are not attributed like that.
 */
export function figureFindings(
  reading: Reading,
  input: JsonObject,
  description: string,
): Finding[] {
  const given = numbersIn(`${JSON.stringify(input).slice(0, 1_100_000)} ${description}`);
  const known = new Set(given.flatMap(valuesOf));
  if (given.length === 0) return [];
  return reading.pieces
    .flatMap((piece) => attributed(piece).flatMap((sentence) => unknownIn(sentence, piece, known)))
    .slice(0, MAX_FINDINGS);
}

function attributed(piece: Piece): string[] {
  return proseOf(piece)
    .split(/(?<=[.!?])\s+|\n/)
    .slice(0, MAX_SENTENCES)
    .map((sentence) => sentence.slice(0, LONGEST_SENTENCE))
    .filter((sentence) => STATED.test(sentence));
}

function unknownIn(sentence: string, piece: Piece, known: ReadonlySet<number>): Finding[] {
  return numbersIn(sentence)
    .filter((written) => {
      const values = valuesOf(written);
      if (values.every((value) => value <= SMALL && Number.isInteger(value))) return false;
      return !values.some((value) => known.has(value) || isRounding(value, written, known));
    })
    .map((written) =>
      finding(
        "figure_not_in_input",
        piece.pointer,
        `${written.replace(/[.,]$/, "")} is said to be in the source, but the input has no such number`,
      ),
    );
}

function isRounding(value: number, written: string, known: ReadonlySet<number>): boolean {
  const decimals = /[.,](\d{1,6})$/.exec(written.replace(/[.,]$/, ""))?.[1]?.length ?? 0;
  const half = 0.5 * 10 ** -decimals;
  for (const number of known) if (Math.abs(number - value) <= half) return true;
  return false;
}
