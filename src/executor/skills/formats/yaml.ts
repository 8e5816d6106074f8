import {
  constructFromEvents,
  CORE_SCHEMA,
  EVENT_ID,
  getScalarValue,
  mergeTag,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
  type Event,
} from "js-yaml";

import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { JsonValue } from "../skill.ts";
import { plainJson } from "./plain-json.ts";
import { placeOf, withoutMark, type TextFault } from "./text-fault.ts";

/** Nodes that a text may stand for when each alias is written out: far above any configuration. */
const MAX_NODES = 100_000;
/** The first thing that can make a document deeper or larger than its text. */
const ALIAS = /(?<=[\s,[{])\*[^\s,[\]{}]/;
/** A line that begins a document. */
const BEGINNING = /^---(?=\s|$)/gm;
/** Documents of a stream cost time each, however little they say; manifests that belong together are hundreds. */
const MOST_DOCUMENTS = 10_000;
const BORDER = /^(?:---|\.\.\.)(?=\s|$)/gm;
/** `<<` is YAML 1.1, yet compose files and CI configurations live by it. */
const SCHEMA = CORE_SCHEMA.withTags(mergeTag);

/**
 * Reads one YAML 1.2 document (core schema, with merge keys) as JSON.
 *
 * Refused: several documents, duplicate keys, unknown tags, aliases that expand without measure, and `.nan` or `.inf`,
 * which JSON can't hold. A name such as `__proto__` is data.
 */
export function readYaml(text: string): Result<JsonValue, TextFault> {
  const read = readYamlDocuments(text);
  if (!read.ok) return read;
  const [only, ...others] = read.value;
  if (only === undefined) return refuse({ line: 1, column: 1, detail: "The text is empty." });
  if (others.length === 0) return ok(only);
  const detail = `The text holds ${others.length + 1} documents; one is expected.`;
  return refuse({ ...placeOf(text, secondDocument(text)), detail });
}

/** Where the second document begins: at the first mark that has something before it. */
function secondDocument(text: string): number {
  const [first, second] = text.matchAll(BEGINNING);
  const isSecond = first !== undefined && text.slice(0, first.index).trim() !== "";
  return (isSecond ? first : second)?.index ?? 0;
}

/** Where a stream has more marks between documents than may be read, told before it is parsed; null where it has not. */
function streamFault(text: string): TextFault | null {
  let marks = 0;
  for (const { index } of text.matchAll(BORDER)) {
    marks += 1;
    if (marks <= MOST_DOCUMENTS) continue;
    const detail = `The text has more than ${MOST_DOCUMENTS} marks of documents (--- or ...).`;
    return { ...placeOf(text, index), detail };
  }
  return null;
}

/** Reads every document of a YAML stream, by the rules of readYaml; more than 10,000 marks of documents are refused. */
export function readYamlDocuments(text: string): Result<JsonValue[], TextFault> {
  const bare = withoutMark(text);
  const endless = streamFault(bare);
  return endless === null ? readStream(bare) : refuse(endless);
}

function readStream(bare: string): Result<JsonValue[], TextFault> {
  try {
    const events = parseEvents(bare, { maxDepth: 100 });
    const expansion = new Expansion(bare);
    for (const event of events) {
      const fault = expansion.add(event);
      if (fault !== null) return refuse(fault);
    }
    return plainDocuments(bare, constructFromEvents(events, { source: bare, schema: SCHEMA }));
  } catch (cause) {
    if (cause instanceof YAMLException) {
      const { mark, reason } = cause;
      const detail = `${reason[0]?.toUpperCase() ?? ""}${reason.slice(1, 300)}.`;
      return refuse({ line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1, detail });
    }
    const detail = cause instanceof Error ? cause.message.slice(0, 300) : "It can't be read";
    return refuse({ line: 1, column: 1, detail: `${detail}.` });
  }
}

/** Aliases share one object; written out, each place is a value of its own, and a chain of them is as deep as nesting. */
function plainDocuments(
  text: string,
  documents: readonly unknown[],
): Result<JsonValue[], TextFault> {
  const values: JsonValue[] = [];
  for (const document of documents) {
    const plain = plainJson(document);
    if (!plain.ok) {
      return refuse({ ...placeOf(text, Math.max(0, text.search(ALIAS))), ...plain.refusal });
    }
    values.push(plain.value);
  }
  return ok(values);
}

/** Counts nodes of a stream with its aliases written out; `add` gives the fault of an event, or null. */
class Expansion {
  private total = 0;
  private readonly sizes = new Map<string, number>();
  private readonly open: { anchor: string | null; nodes: number }[] = [];
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  add(event: Event): TextFault | null {
    if (event.type === EVENT_ID.DOCUMENT) {
      this.sizes.clear();
      this.open.push({ anchor: null, nodes: 0 });
    } else if (event.type === EVENT_ID.POP) {
      const closed = this.open.pop();
      if (closed !== undefined) this.close(closed);
    } else {
      return this.node(event);
    }
    return null;
  }

  private node(event: Exclude<Event, { type: 1 | 6 }>): TextFault | null {
    const { anchorStart } = event;
    const anchor = anchorStart === -1 ? null : this.text.slice(anchorStart, event.anchorEnd);
    const size = event.type === EVENT_ID.ALIAS ? this.sizes.get(anchor ?? "") : 1;
    if (size === undefined && this.open.some((each) => each.anchor === anchor)) {
      return this.fault(anchorStart - 1, `The alias *${anchor} refers to what it is part of.`);
    }
    const nodes = size ?? 1;
    this.total += nodes;
    if (event.type === EVENT_ID.ALIAS) this.close({ anchor: null, nodes });
    else if (event.type === EVENT_ID.SCALAR) this.close({ anchor, nodes });
    else this.open.push({ anchor, nodes });
    if (this.total <= MAX_NODES) return this.notANumber(event);
    const detail = `With its aliases written out the text has more than ${MAX_NODES} nodes.`;
    return this.fault(Math.max(0, anchorStart - 1), detail);
  }

  private close({ anchor, nodes }: { anchor: string | null; nodes: number }): void {
    if (anchor !== null) this.sizes.set(anchor, nodes);
    const parent = this.open.at(-1);
    if (parent !== undefined) parent.nodes += nodes;
  }

  private notANumber(event: Event): TextFault | null {
    if (event.type !== EVENT_ID.SCALAR || event.style !== SCALAR_STYLE.PLAIN) return null;
    if (!/^[-+]?\.(?:inf|nan)$/i.test(getScalarValue(this.text, event))) return null;
    return this.fault(event.valueStart, "JSON has no form for .inf and .nan.");
  }

  private fault(at: number, detail: string): TextFault {
    return { ...placeOf(this.text, at), detail };
  }
}
