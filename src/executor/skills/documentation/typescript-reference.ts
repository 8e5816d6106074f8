import { code, codeBlock, inlineProse, prose } from "./markdown.ts";
import type { Page } from "./page.ts";
import type { Declaration, DeclarationKind } from "./typescript/declaration.ts";
import type { Member } from "./typescript/members.ts";
import type { Words } from "./words.ts";

const ORDER: readonly (readonly [DeclarationKind, keyof Words])[] = [
  ["function", "functions"],
  ["class", "classes"],
  ["interface", "interfaces"],
  ["type", "types"],
  ["enum", "enums"],
  ["constant", "constants"],
  ["namespace", "namespaces"],
];
const MAX_MEMBERS = 500;
const LONGEST_SIGNATURE = 20_000;

/** What the writer of declarations is given beside them. */
export interface TypeScriptPage {
  page: Page;
  words: Words;
  title: string | null;
  /** Whether what is not exported, private, or marked @internal is documented too. */
  include_private: boolean;
}

/** The sections of declarations, by kind; gives back how many were left out as private. */
export function documentTypeScript(
  declarations: readonly Declaration[],
  { page, words, title, include_private }: TypeScriptPage,
): number {
  const shown = declarations.filter(
    ({ is_exported, doc }) => include_private || (is_exported && doc?.is_internal !== true),
  );
  page.add({ level: 1, title: title ?? words.reference, key: null, body: () => [] });
  for (const [kind, group] of ORDER) {
    const of = shown.filter((each) => each.kind === kind);
    if (of.length > 0) page.add({ level: 2, title: words[group], key: null, body: () => [] });
    for (const each of of) {
      const body = declarationBody(each, { page, words, title, include_private });
      page.add({ level: 3, title: each.name, key: null, body: () => body });
    }
  }
  return declarations.length - shown.length;
}

function declarationBody(
  declaration: Declaration,
  { page, words, include_private }: TypeScriptPage,
): readonly string[] {
  const { name, kind, doc, signatures } = declaration;
  const description = page.account(name, kind, doc?.description);
  const members = declaration.members
    .filter(({ is_private, doc: own }) => include_private || !(is_private || own?.is_internal))
    .slice(0, MAX_MEMBERS)
    .map((member) => memberItem(member, { page, words, of: name }));
  return [
    codeBlock(signatures.join("\n").slice(0, LONGEST_SIGNATURE), "ts"),
    doc?.deprecated == null ? "" : `**${words.deprecated}** ${inlineProse(doc.deprecated)}`.trim(),
    description === null ? "" : prose(description),
    ...parameterBlocks(declaration, words),
    ...outcomeBlocks(declaration, words),
    ...(doc?.examples ?? []).map((example) => exampleBlock(example)),
    ...(members.length === 0 ? [] : [`**${words.members}**`, members.join("\n")]),
  ];
}

function parameterBlocks({ doc, parameters }: Declaration, words: Words): string[] {
  if (parameters.length === 0) return [];
  const items = parameters.map(({ name, type, is_optional }) => {
    const facts = [
      ...(type === null ? [] : [code(type)]),
      ...(is_optional ? [words.optional] : []),
    ];
    const about = doc?.params.get(name) ?? "";
    const told = about === "" ? "" : ` — ${inlineProse(about)}`;
    return `- ${code(name)}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}${told}`;
  });
  return [`**${words.parameters}**`, items.join("\n")];
}

function outcomeBlocks({ doc, returns }: Declaration, words: Words): string[] {
  const told = doc?.returns ?? "";
  const type = returns === null || returns === "void" ? "" : code(returns);
  const parts = [type, told === "" ? "" : inlineProse(told)].filter((part) => part !== "");
  return [
    parts.length === 0 ? "" : `**${words.returns}** ${parts.join(" — ")}`,
    ...(doc?.throws ?? []).map((text) => `**${words.throws}** ${inlineProse(text)}`),
  ];
}

/** An example that is not fenced is code as it stands. */
function exampleBlock(example: string): string {
  return /^\s*(?:```|~~~)/m.test(example) ? prose(example) : codeBlock(example, "ts");
}

function memberItem(
  { text, doc }: Member,
  { page, words, of }: { page: Page; words: Words; of: string },
): string {
  const said = page.account(`${of}: ${text.slice(0, 80)}`, "member", doc?.description);
  const told = [
    doc?.deprecated == null ? "" : `**${words.deprecated}** ${inlineProse(doc.deprecated)}`.trim(),
    said === null ? "" : inlineProse(said),
    doc?.returns == null ? "" : `${words.returns}: ${inlineProse(doc.returns)}`,
  ].filter((part) => part !== "");
  return `- ${code(text)}${told.length === 0 ? "" : ` — ${told.join(" ")}`}`;
}
