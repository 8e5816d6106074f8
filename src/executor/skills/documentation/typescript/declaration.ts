import type { Doc } from "./jsdoc.ts";
import type { Member, Parameter } from "./members.ts";

export type DeclarationKind =
  | "function"
  | "class"
  | "interface"
  | "type"
  | "enum"
  | "constant"
  | "namespace";

/** Something that a source declares; a function's overloads are one declaration with several signatures. */
export interface Declaration {
  kind: DeclarationKind;
  /** With its namespaces: `Pets.Cat`. */
  name: string;
  /** As the source has it, without the body. */
  signatures: string[];
  doc: Doc | null;
  is_exported: boolean;
  members: Member[];
  parameters: Parameter[];
  /** The type of what a function gives back, as written. */
  returns: string | null;
}

/** Makes one of what a source declares in parts: overloads of a function, an interface written twice. */
export function merged(declarations: readonly Declaration[]): Declaration[] {
  const known = new Map<string, Declaration>();
  for (const each of declarations) {
    const key = `${each.kind} ${each.name}`;
    const before = known.get(key);
    if (before === undefined) {
      known.set(key, { ...each });
      continue;
    }
    before.signatures = [...new Set([...before.signatures, ...each.signatures])];
    before.members = [...before.members, ...each.members];
    before.doc ??= each.doc;
    before.is_exported ||= each.is_exported;
    if (each.parameters.length > before.parameters.length) before.parameters = each.parameters;
  }
  return [...known.values()];
}

/** A signature without the words that say nothing to its users. */
export function withoutModifiers(signature: string): string {
  return signature
    .replace(/^(?:@[\w.]+(?:\([^)]*\))?\s*)+/, "")
    .replace(/^(?:(?:export|default|declare|async)\s+)+(?=\w)/, "");
}
