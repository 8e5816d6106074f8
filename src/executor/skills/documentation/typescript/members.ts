import type { Cursor } from "./cursor.ts";
import { readDoc, type Doc } from "./jsdoc.ts";

/** A member of an interface, class or enumeration, as the source has it, without its body or initialiser. */
export interface Member {
  text: string;
  doc: Doc | null;
  /** `private`, `protected`, or with a `#`. */
  is_private: boolean;
}

/** A parameter of a function. */
export interface Parameter {
  /** As JSDoc would call it; a pattern as written. */
  name: string;
  type: string | null;
  is_optional: boolean;
}

const MODIFIERS =
  /^(?:public|private|protected|static|abstract|readonly|override|async|declare|accessor|get|set|in|out|const)$/;
/** What follows a name; before it, a word like "static" or "get" is itself the name. */
const AFTER_NAME = /^(?:[(:?!=;,<{}]|)$/;

/** Reads the members between braces. */
export function readMembers(cursor: Cursor, of: string): Member[] {
  cursor.expect("{", `of ${of}`);
  const members: Member[] = [];
  while (!cursor.take("}")) {
    if (cursor.take(";") || cursor.take(",")) continue;
    if (cursor.peek().kind === "end") throw cursor.fault(`Expected "}" of ${of}`);
    const member = readMember(cursor, of);
    if (member !== null) members.push(member);
  }
  return members;
}

/** Reads the members of an enumeration between braces. */
export function readEnumMembers(cursor: Cursor, of: string): Member[] {
  cursor.expect("{", `of ${of}`);
  const members: Member[] = [];
  while (!cursor.take("}")) {
    const { doc, kind, start } = cursor.peek();
    if (kind !== "word" && kind !== "string") throw cursor.fault(`Expected a member of ${of}`);
    cursor.next();
    if (cursor.take("=")) cursor.skipExpression([",", "}"]);
    members.push({ text: cursor.textSince(start), doc: docOf(doc), is_private: false });
    if (!cursor.is("}")) cursor.expect(",", `or "}" in ${of}`);
  }
  return members;
}

/** Reads `<T>(parameters): type` of a function or method; the type ends before a body. */
export function readSignature(
  cursor: Cursor,
  of: string,
): { parameters: Parameter[]; returns: string | null } {
  cursor.typeParameters();
  cursor.expect("(", of);
  const parameters: Parameter[] = [];
  while (!cursor.take(")")) {
    parameters.push(readParameter(cursor, of));
    if (!cursor.is(")")) cursor.expect(",", `or ")" in the parameters ${of}`);
  }
  return { parameters, returns: cursor.take(":") ? cursor.type([";", ","], of) : null };
}

/** A comment as it is kept with what follows it. */
export function docOf(comment: string | null): Doc | null {
  return comment === null ? null : readDoc(comment);
}

function readMember(cursor: Cursor, of: string): Member | null {
  const { doc, start } = cursor.peek();
  skipDecorators(cursor);
  const isHidden = skipModifiers(cursor);
  if (cursor.is("static") && cursor.is("{", 1)) {
    cursor.next();
    cursor.skipBalanced();
    return null;
  }
  cursor.take("*");
  const is_private = readName(cursor, of) || isHidden;
  if (!cursor.take("?")) cursor.take("!");
  if (cursor.is("(") || cursor.is("<")) {
    readSignature(cursor, `of a member of ${of}`);
  } else if (cursor.take(":")) {
    cursor.type(["=", ";", ","], `of a member of ${of}`);
  }
  const text = cursor.textSince(start);
  if (cursor.is("{")) cursor.skipBalanced();
  else if (cursor.take("=")) cursor.skipExpression([";", "}"]);
  return { text, doc: docOf(doc), is_private };
}

/** Passes over `@name.of(arguments)`. */
export function skipDecorators(cursor: Cursor): void {
  while (cursor.take("@")) {
    if (!cursor.is("(")) cursor.word("a decorator");
    while (cursor.take(".")) cursor.word("a decorator");
    cursor.typeParameters();
    if (cursor.is("(")) cursor.skipBalanced();
  }
}

/** Whether one of them hides the member. */
function skipModifiers(cursor: Cursor): boolean {
  let isHidden = false;
  while (MODIFIERS.test(cursor.peek().text) && !AFTER_NAME.test(cursor.peek(1).text)) {
    const { text } = cursor.next();
    isHidden ||= text === "private" || text === "protected";
  }
  return isHidden;
}

/** Reads a member's name, if it has one (a call signature has none); whether it is private by it. */
function readName(cursor: Cursor, of: string): boolean {
  if (cursor.is("(") || cursor.is("<")) return false;
  if (cursor.is("[")) {
    cursor.skipBalanced();
    return false;
  }
  // Mapped types in braces add or remove modifiers: `-readonly [K in T]`.
  while (cursor.take("-") || cursor.take("+")) cursor.next();
  if (cursor.is("[")) {
    cursor.skipBalanced();
    return false;
  }
  const { kind, text } = cursor.peek();
  if (kind !== "word" && kind !== "string" && kind !== "number") {
    throw cursor.fault(`Expected a member of ${of}`);
  }
  cursor.next();
  return text.startsWith("#");
}

function readParameter(cursor: Cursor, of: string): Parameter {
  skipDecorators(cursor);
  while (MODIFIERS.test(cursor.peek().text) && !/^[,:?)=]$/.test(cursor.peek(1).text))
    cursor.next();
  cursor.take("...");
  const { start } = cursor.peek();
  if (cursor.is("{") || cursor.is("[")) cursor.skipBalanced();
  else cursor.word(`a parameter ${of}`);
  const name = cursor.textSince(start);
  let is_optional = cursor.take("?");
  const type = cursor.take(":") ? cursor.type(["=", ","], `of parameter ${name}`) : null;
  if (cursor.take("=")) {
    cursor.skipExpression([",", ")"]);
    is_optional = true;
  }
  return { name, type, is_optional };
}
