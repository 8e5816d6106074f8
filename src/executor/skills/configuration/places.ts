import { EVENT_ID, getScalarValue, parseEvents, type Event } from "js-yaml";

import { escapePointer } from "../formats/json-value.ts";
import { scanJson } from "../formats/json.ts";
import { placeOf } from "../formats/text-fault.ts";
import type { Format } from "./documents.ts";

/** Where in the source a value stands, or its name; the nearest that holds it when it has no place of its own. */
export type Places = (pointer: string, of: "value" | "name") => { line: number; column: number };

/**
 * The places of the values of a text that its reader accepted.
 *
 * Exact in JSON and YAML; in TOML, .env and .properties each key has the place of its line.
 *
 * @param offsets of the document, by offsetsOf
 */
export function placesIn(text: string, offsets: ReadonlyMap<string, number>): Places {
  return (pointer, of) => {
    let at = of === "name" ? offsets.get(`#${pointer}`) : undefined;
    for (let here = pointer; at === undefined; here = here.slice(0, here.lastIndexOf("/"))) {
      at = offsets.get(here);
      if (here === "") break;
    }
    return placeOf(text, at ?? 0);
  };
}

/** The offsets of values by their pointers, and of names by "#" and the pointer, for each document of a readable text. */
export function offsetsOf(text: string, format: Format): ReadonlyMap<string, number>[] {
  switch (format) {
    case "json": {
      const read = scanJson(text);
      return read.ok ? [read.value.places] : [];
    }
    case "yaml":
      return yamlOffsets(text, parseEvents(text, { maxDepth: 100 }));
    case "toml":
      return [tomlOffsets(text)];
    case "env":
    case "properties":
      return [lineOffsets(text)];
  }
}

interface Frame {
  pointer: string;
  /** Items so far in a sequence; -1 in a mapping. */
  index: number;
  /** Name that waits for its value. */
  name: string | null;
}

function yamlOffsets(text: string, events: readonly Event[]): Map<string, number>[] {
  const documents: Map<string, number>[] = [];
  const open: Frame[] = [];
  const place = (start: number, key: string | null): string | null => {
    const frame = open.at(-1);
    if (frame === undefined) return null;
    if (frame.index === -1 && frame.name === null) {
      frame.name = key ?? "";
      const pointer = `${frame.pointer}/${escapePointer(frame.name)}`;
      documents.at(-1)?.set(`#${pointer}`, start);
      return null;
    }
    const part = frame.index === -1 ? escapePointer(frame.name ?? "") : String(frame.index);
    if (frame.index === -1) frame.name = null;
    else frame.index += 1;
    const pointer = part === ROOT ? "" : `${frame.pointer}/${part}`;
    documents.at(-1)?.set(pointer, start);
    return pointer;
  };
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      documents.push(new Map());
      open.push({ pointer: "", index: -1, name: ROOT });
    } else if (event.type === EVENT_ID.POP) open.pop();
    else if (event.type === EVENT_ID.SCALAR) place(event.valueStart, getScalarValue(text, event));
    else if (event.type === EVENT_ID.ALIAS) place(event.anchorStart - 1, null);
    else {
      const index_at = event.type === EVENT_ID.MAPPING ? -1 : 0;
      const pointer = place(event.start, null) ?? "";
      open.push({ pointer, index: index_at, name: null });
    }
  }
  return documents;
}

/** Stands for the name of a document's one value: no YAML text can hold it. */
const ROOT = "\u0000";

const TABLE = /^\s*(\[\[?)\s*([^\]]*?)\s*\]\]?\s*(?:#.*)?$/;
const KEY =
  /^\s*((?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w-]+))*)\s*=/;

function tomlOffsets(text: string): Map<string, number> {
  const offsets = new Map<string, number>([["", 0]]);
  const counts = new Map<string, number>();
  let table = "";
  let quote: string | null = null;
  let start = 0;
  for (const line of text.split("\n")) {
    const isInside = quote !== null;
    for (const [mark] of line.matchAll(/"""|'''/g)) {
      if (quote === null) quote = mark;
      else if (quote === mark) quote = null;
    }
    const [, bracket, header] = (isInside ? null : TABLE.exec(line)) ?? [];
    const [, key] = (isInside || header !== undefined ? null : KEY.exec(line)) ?? [];
    const at = start + (line.length - line.trimStart().length);
    start += line.length + 1;
    if (header !== undefined) {
      table = tablePointer(header, bracket === "[[", counts);
      setWithParents(offsets, table, at);
    } else if (key !== undefined) {
      setWithParents(offsets, `${table}${pointerOfKey(key)}`, at);
    }
  }
  return offsets;
}

function setWithParents(offsets: Map<string, number>, pointer: string, at: number): void {
  for (let here = pointer; here !== ""; here = here.slice(0, here.lastIndexOf("/"))) {
    if (!offsets.has(here)) offsets.set(here, at);
  }
}

/** The pointer of a table header, through the last item of each array of tables on the way. */
function tablePointer(header: string, isItem: boolean, counts: Map<string, number>): string {
  let pointer = "";
  const parts = pointerOfKey(header).split("/").slice(1);
  for (const [at, part] of parts.entries()) {
    pointer += `/${part}`;
    const count = counts.get(pointer);
    if (isItem && at === parts.length - 1) {
      counts.set(pointer, (count ?? 0) + 1);
      return `${pointer}/${count ?? 0}`;
    }
    if (count !== undefined) pointer += `/${count - 1}`;
  }
  return pointer;
}

function pointerOfKey(key: string): string {
  const parts = key.match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^\s.]+/g) ?? [];
  return parts.map((part) => `/${escapePointer(part.replaceAll(/^["']|["']$/g, ""))}`).join("");
}

function lineOffsets(text: string): Map<string, number> {
  const offsets = new Map<string, number>([["", 0]]);
  let start = 0;
  for (const line of text.split("\n")) {
    const [, indent = "", name] = /^(\s*(?:export\s+)?)([^\s=:#!]+)/.exec(line) ?? [];
    if (name !== undefined) offsets.set(`/${escapePointer(name)}`, start + indent.length);
    start += line.length + 1;
  }
  return offsets;
}
