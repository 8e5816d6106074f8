import { refuse, ok, type Result } from "../../../../lib/result.ts";
import type { TextFault } from "../../formats/text-fault.ts";
import { Cursor } from "./cursor.ts";
import { merged, withoutModifiers, type Declaration } from "./declaration.ts";
import type { Doc } from "./jsdoc.ts";
import { docOf, readEnumMembers, readMembers, readSignature, skipDecorators } from "./members.ts";
import { SourceFault } from "./tokens.ts";

/** Names in names: deeper nesting is no API. */
const DEEPEST_NAMESPACE = 20;
const MODIFIERS = /^(?:export|default|declare|abstract|async)$/;

/**
 * Reads the declarations of TypeScript source: interfaces, type aliases, enums, functions, classes, constants and
 * namespaces, with their JSDoc. Bodies, initialisers and other statements are passed over; types stay source text.
 *
 * Without any `export` in it, all that a source or a namespace declares is exported (a global script, an ambient
 * namespace). Refuses what can't be read, with its line and column. Never throws.
 */
export function readDeclarations(source: string): Result<Declaration[], TextFault> {
  try {
    return ok(new Reader(source).statements("", 0));
  } catch (error) {
    if (error instanceof SourceFault) return refuse(error.fault);
    throw error;
  }
}

/** Where statements stand, and what they have declared and exported by name so far. */
interface Scope {
  prefix: string;
  depth: number;
  declared: Declaration[];
  exported: Set<string>;
}

/** What comes before the keyword of a declaration. */
interface Head {
  start: number;
  doc: Doc | null;
  isExported: boolean;
  isDefault: boolean;
}

type Part = Pick<Declaration, "kind" | "name"> &
  Partial<Pick<Declaration, "members" | "parameters" | "returns">> & { signature: string };

class Reader {
  readonly #cursor: Cursor;

  constructor(source: string) {
    this.#cursor = new Cursor(source);
  }

  statements(prefix: string, depth: number): Declaration[] {
    const cursor = this.#cursor;
    const declared: Declaration[] = [];
    const exported = new Set<string>();
    let isModule = false;
    while (cursor.peek().kind !== "end" && !cursor.is("}")) {
      isModule = this.#statement({ prefix, depth, declared, exported }) || isModule;
    }
    if (depth === 0 && cursor.is("}")) throw cursor.fault("Expected a declaration");
    const isOpen = ({ name, is_exported }: Declaration) =>
      !isModule || is_exported || exported.has(name.slice(prefix.length));
    const closed = declared.filter((each) => each.kind === "namespace" && !isOpen(each));
    const all = declared.map((each) => {
      const isHidden = closed.some(({ name }) => each.name.startsWith(`${name}.`));
      return { ...each, is_exported: isOpen(each) && !isHidden };
    });
    return merged(all);
  }

  /** Reads one statement; whether it exports anything. */
  #statement(scope: Scope): boolean {
    const cursor = this.#cursor;
    if (cursor.take(";")) return false;
    const { start, doc } = cursor.peek();
    skipDecorators(cursor);
    let isExported = false;
    let isDefault = false;
    while (MODIFIERS.test(cursor.peek().text) && this.#isModifier()) {
      const { text } = cursor.next();
      isExported ||= text === "export";
      isDefault ||= text === "default";
      skipDecorators(cursor);
    }
    const head = { start, doc: docOf(doc), isExported, isDefault };
    if (!this.#declaration(scope, head)) this.#other(scope, isExported);
    return isExported;
  }

  /** `abstract` may be a name too: a modifier has a word, a decorator or the lists of an export after it. */
  #isModifier(): boolean {
    const after = this.#cursor.peek(1);
    if (this.#cursor.is("export") || this.#cursor.is("default")) return true;
    return after.kind === "word" && !after.is_first;
  }

  #declaration(scope: Scope, head: Head): boolean {
    const cursor = this.#cursor;
    const { text } = cursor.peek();
    const named = cursor.peek(1);
    const isNamed = named.kind === "word" || (text === "function" && !named.is_first);
    switch (text) {
      case "interface":
      case "class":
        if (!isNamed && !head.isDefault) return false;
        this.#withMembers(scope, head, text);
        return true;
      case "type":
        if (!isNamed || named.is_first) return false;
        this.#alias(scope, head);
        return true;
      case "function":
        this.#function(scope, head);
        return true;
      case "enum":
        this.#enum(scope, head);
        return true;
      case "const":
      case "let":
      case "var":
        if (cursor.is("enum", 1)) {
          cursor.next();
          this.#enum(scope, head);
        } else this.#constants(scope, head);
        return true;
      case "namespace":
      case "module":
      case "global":
        return this.#namespace(scope, head);
      default:
        return false;
    }
  }

  #add({ declared, prefix }: Scope, head: Head, part: Part): void {
    declared.push({
      members: [],
      parameters: [],
      returns: null,
      ...part,
      name: `${prefix}${part.name}`,
      signatures: [withoutModifiers(part.signature)],
      doc: head.doc,
      is_exported: head.isExported,
    });
  }

  #withMembers(scope: Scope, head: Head, kind: "interface" | "class"): void {
    const cursor = this.#cursor;
    cursor.next();
    const isNamed = cursor.peek().kind === "word" && !cursor.is("extends");
    const name = isNamed ? cursor.next().text : "default";
    cursor.typeParameters();
    while (!cursor.is("{")) {
      if (cursor.peek().kind === "end") throw cursor.fault(`Expected "{" of ${kind} ${name}`);
      if (cursor.typeParameters() !== "") continue;
      if (cursor.is("(") || cursor.is("[")) cursor.skipBalanced();
      else cursor.next();
    }
    const signature = cursor.textSince(head.start);
    const members = readMembers(cursor, `${kind} ${name}`);
    this.#add(scope, head, { kind, name, signature, members });
  }

  #alias(scope: Scope, head: Head): void {
    const cursor = this.#cursor;
    cursor.next();
    const name = cursor.word("a type");
    cursor.typeParameters();
    cursor.expect("=", `of type ${name}`);
    cursor.type([";"], `of ${name}`);
    this.#add(scope, head, { kind: "type", name, signature: cursor.textSince(head.start) });
    cursor.take(";");
  }

  #function(scope: Scope, head: Head): void {
    const cursor = this.#cursor;
    cursor.next();
    cursor.take("*");
    const name = cursor.is("(") || cursor.is("<") ? "default" : cursor.word("a function");
    const { parameters, returns } = readSignature(cursor, `of function ${name}`);
    const signature = cursor.textSince(head.start);
    if (cursor.is("{")) cursor.skipBalanced();
    else cursor.take(";");
    this.#add(scope, head, { kind: "function", name, signature, parameters, returns });
  }

  #enum(scope: Scope, head: Head): void {
    const cursor = this.#cursor;
    cursor.next();
    const name = cursor.word("an enum");
    const signature = cursor.textSince(head.start);
    const members = readEnumMembers(cursor, `enum ${name}`);
    this.#add(scope, head, { kind: "enum", name, signature, members });
  }

  #constants(scope: Scope, head: Head): void {
    const cursor = this.#cursor;
    const keyword = cursor.next().text;
    do {
      // A pattern declares local names, which are no API; a comma may stand within `f<A, B>()`.
      const isPattern = cursor.is("{") || cursor.is("[");
      if (isPattern) cursor.skipBalanced();
      const isRead = isPattern || this.#constant(scope, head, keyword);
      if (cursor.take("=") || !isRead) cursor.skipExpression([",", ";", "}"]);
    } while (cursor.take(","));
    cursor.take(";");
  }

  #constant(scope: Scope, head: Head, keyword: string): boolean {
    const cursor = this.#cursor;
    if (this.#goesOn()) return false;
    const name = cursor.word("a constant");
    cursor.take("!");
    let signature = `${keyword} ${name}`;
    if (cursor.take(":")) {
      signature += `: ${cursor.type(["=", ",", ";"], `of ${name}`)}`;
    } else if (cursor.is("=")) {
      const value = cursor.peek(1);
      const isWhole = /^[;,]?$/.test(cursor.peek(2).text) || cursor.peek(2).is_first;
      const isShort = /^(?:string|number)$/.test(value.kind) && value.text.length <= 80;
      if (isShort && isWhole) signature += ` = ${value.text}`;
    }
    this.#add(scope, head, { kind: "constant", name, signature });
    return true;
  }

  /** Whether what comes is no name to be declared, but the rest of an expression. */
  #goesOn(): boolean {
    const after = this.#cursor.peek(1);
    return (
      this.#cursor.peek().kind !== "word" || !(/^[:=!,;}]?$/.test(after.text) || after.is_first)
    );
  }

  #namespace(scope: Scope, head: Head): boolean {
    const cursor = this.#cursor;
    const named = cursor.peek(1);
    const isGlobal = cursor.is("global") && named.text === "{";
    if (!isGlobal && (named.is_first || !/^(?:word|string)$/.test(named.kind))) return false;
    if (scope.depth >= DEEPEST_NAMESPACE) throw cursor.fault("Expected less nesting of namespaces");
    cursor.next();
    let name = isGlobal ? "global" : cursor.next().text;
    while (cursor.take(".")) name += `.${cursor.word("a namespace")}`;
    name = name.replaceAll(/["']/g, "");
    // What a module by name, or the global scope, declares is there for everyone.
    const isOpen = head.isExported || isGlobal || named.kind === "string";
    const signature = cursor.textSince(head.start);
    this.#add(scope, { ...head, isExported: isOpen }, { kind: "namespace", name, signature });
    if (!cursor.take("{")) return true;
    scope.declared.push(...this.statements(`${scope.prefix}${name}.`, scope.depth + 1));
    cursor.expect("}", `of namespace ${name}`);
    return true;
  }

  /** Imports, export lists, and whatever else a source does. */
  #other({ exported }: Scope, isExported: boolean): void {
    const cursor = this.#cursor;
    if (isExported) cursor.take("type");
    if (isExported && cursor.take("{")) {
      while (!cursor.take("}")) {
        const { kind, text } = cursor.next();
        if (kind === "end") throw cursor.fault('Expected "}" of the export list');
        if (kind === "word") exported.add(text);
      }
    } else if (isExported) {
      cursor.take("=");
      if (cursor.peek().kind === "word") exported.add(cursor.peek().text);
    }
    // A block has no end mark; an exported object may go on behind its brace.
    if (cursor.is("{") && !isExported) cursor.skipBalanced();
    else cursor.skipExpression([";", "}"]);
    cursor.take(";");
  }
}
