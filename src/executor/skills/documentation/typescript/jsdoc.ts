/** What a JSDoc comment says, its Markdown untouched. */
export interface Doc {
  description: string;
  params: Map<string, string>;
  returns: string | null;
  throws: string[];
  examples: string[];
  /** Why, or what instead; empty when it only says so. */
  deprecated: string | null;
  is_internal: boolean;
}

/** A tag begins a line, outside of fenced code. */
const TAG = /^\s*@([a-zA-Z]+)\s?(.*)$/;

/** Reads a JSDoc comment with its marks. Unknown tags are left out, except @remarks, which goes on describing. */
export function readDoc(comment: string): Doc {
  const doc: Doc = {
    description: "",
    params: new Map(),
    returns: null,
    throws: [],
    examples: [],
    deprecated: null,
    is_internal: false,
  };
  let tag = "";
  let lines: string[] = [];
  let isFenced = false;
  for (const line of [...linesOf(comment), "@end"]) {
    if (/^\s*(?:```|~~~)/.test(line)) isFenced = !isFenced;
    const [, next, rest = ""] = (isFenced && line !== "@end" ? null : TAG.exec(line)) ?? [];
    if (next === undefined) {
      lines.push(line);
      continue;
    }
    take(doc, tag.toLowerCase(), withoutLinks(lines.join("\n").trim()));
    tag = next;
    lines = [rest];
  }
  return doc;
}

function take(doc: Doc, tag: string, text: string): void {
  switch (tag) {
    case "":
    case "remarks":
    case "description":
      doc.description = [doc.description, text].filter((part) => part !== "").join("\n\n");
      break;
    case "param":
    case "arg":
    case "argument": {
      // A name may stand in brackets, with a default: [limit=10].
      const [, name = "", said = ""] =
        /^(?:\{[^}]*\}\s*)?\[?([\w$.]+)(?:=[^\]]*)?\]?(?:\s+-)?\s*([\s\S]*)$/.exec(text) ?? [];
      if (name !== "") doc.params.set(name, said);
      break;
    }
    case "return":
    case "returns":
      doc.returns = withoutType(text);
      break;
    case "throws":
    case "throw":
    case "exception":
      doc.throws.push(text.replace(/^\{([^}]*)\}\s*/, "$1: ").replace(/: $/, ""));
      break;
    case "example":
      if (text !== "") doc.examples.push(text.replace(/^<caption>(.*?)<\/caption>\s*/, "$1\n\n"));
      break;
    case "deprecated":
      doc.deprecated = text;
      break;
    case "internal":
    case "private":
    case "hidden":
    case "ignore":
      doc.is_internal = true;
      break;
    default:
      break;
  }
}

function linesOf(comment: string): string[] {
  return comment
    .slice(3, -2)
    .split(/\r\n?|\n/)
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
}

function withoutType(text: string): string {
  return text.replace(/^\{[^}]*\}\s*/, "");
}

/** `{@link Name | words}` names a symbol: its words, or the name as code. */
function withoutLinks(text: string): string {
  return text.replaceAll(
    /\{@(?:link|linkcode|linkplain|see)\s+([^\s|}]+)(?:[\s|]+([^}]*))?\}/g,
    (_, name: string, words: string | undefined) => {
      const said = words?.trim() ?? "";
      if (/^https?:/.test(name)) return said === "" ? name : `[${said}](${name})`;
      return said === "" ? `\`${name}\`` : said;
    },
  );
}
