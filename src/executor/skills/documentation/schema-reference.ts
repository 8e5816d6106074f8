import { isObject } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import { code, inlineProse, plain, prose, table } from "./markdown.ts";
import type { Link } from "./page.ts";
import { dereferenced, fieldOf, listOf, objectOf, type SchemaSource } from "./schema-source.ts";
import { rulesOf, typeOf } from "./schema-type.ts";

/** Objects within objects are listed this deep; recursion in the text itself ends here too. */
const DEEPEST = 6;
const MAX_ROWS = 1_000;

interface Property {
  path: string;
  schema: JsonValue;
  is_required: boolean;
}

/**
 * The sections of a JSON Schema: the schema itself, then one for each of its definitions.
 *
 * @param title of the page, when the task gives one
 */
export function documentSchema(source: SchemaSource, title: string | null): void {
  const { root, page, words } = source;
  const own = dereferenced(source, root);
  const named = [title, root["title"], own["title"], root["$id"]];
  const name = named.find((each) => typeof each === "string" && each.trim() !== "");
  page.add({
    level: 1,
    title: typeof name === "string" ? name : words.reference,
    key: "#",
    body: schemaBody(source, root, "#"),
  });
  const all = ["$defs", "definitions"].flatMap((group) =>
    Object.entries(objectOf(root[group])).map(([id, schema]) => ({ group, id, schema })),
  );
  if (all.length > 0) page.add({ level: 2, title: words.definitions, key: null, body: () => [] });
  for (const { group, id, schema } of all)
    addSchema(source, { level: 3, id, schema, group: `#/${group}` });
}

/** The section of one named schema. */
export function addSchema(
  source: SchemaSource,
  { level, id, schema, group }: { level: number; id: string; schema: JsonValue; group: string },
): void {
  const key = `${group}/${id.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  source.page.add({ level, title: id, key, body: schemaBody(source, schema, key) });
}

/** What a section says of a schema; properties are accounted for at once, written when links are known. */
function schemaBody(
  source: SchemaSource,
  schema: JsonValue,
  where: string,
): (link: Link) => readonly string[] {
  const { page, words } = source;
  const own = objectOf(schema);
  // A reference is described where it leads.
  const isReference = Object.hasOwn(own, "$ref") && own["description"] === undefined;
  const description = isReference
    ? null
    : page.account(where, "schema", own["description"] ?? own["title"]);
  const groups = propertyGroups(source, own);
  for (const { properties } of groups) {
    for (const { path, schema: property } of properties) {
      if (!isObject(property) || !Object.hasOwn(property, "$ref")) {
        page.account(`${where} ${path}`, "property", objectOf(property)["description"]);
      }
    }
  }
  return (link) => [
    own["deprecated"] === true ? `**${words.deprecated}**` : "",
    description === null ? "" : prose(description),
    `${words.type}: ${[typeOf(schema, source, { link }), ...rulesOf(own, source)].join("; ")}`,
    ...groups.flatMap(({ title, properties }) => [
      title === null || properties.length === 0 ? "" : `**${plain(title)}**`,
      propertyTable(source, properties, link),
    ]),
  ];
}

/** The table of the properties of an object schema, nested ones by their path; empty when it has none. */
export function propertiesOf(source: SchemaSource, schema: JsonValue, link: Link): string {
  return propertyTable(source, propertyGroups(source, objectOf(schema))[0]?.properties ?? [], link);
}

function propertyTable(source: SchemaSource, properties: readonly Property[], link: Link): string {
  const { words } = source;
  if (properties.length === 0) return "";
  return table(
    [words.name, words.type, words.required, words.description],
    properties.map(({ path, schema, is_required }) => {
      const own = objectOf(schema);
      const description = own["description"] ?? own["title"];
      const told = [
        own["deprecated"] === true ? `**${words.deprecated}**` : "",
        typeof description === "string" ? inlineProse(description) : "",
        rulesOf(own, source).join("; "),
      ];
      return [
        code(path, "cell"),
        typeOf(schema, source, { link }),
        is_required ? words.yes : words.no,
        told.filter((part) => part !== "").join(" "),
      ];
    }),
  );
}

/** The properties of a schema and its allOf parts; then those of each variant that is written in place. */
function propertyGroups(
  { words }: SchemaSource,
  schema: JsonObject,
): { title: string | null; properties: Property[] }[] {
  const common: Property[] = [];
  collect(schema, { path: "", depth: 0 }, common);
  const variants = [...listOf(schema["oneOf"]), ...listOf(schema["anyOf"])].map((variant, at) => {
    const properties: Property[] = [];
    collect(objectOf(variant), { path: "", depth: 0 }, properties);
    const name = objectOf(variant)["title"];
    const title = `${words.variant} ${at + 1}${typeof name === "string" ? `: ${name}` : ""}`;
    return { title, properties };
  });
  return [{ title: null, properties: common }, ...variants];
}

function collect(
  schema: JsonObject,
  { path, depth }: { path: string; depth: number },
  into: Property[],
): void {
  if (depth > DEEPEST) return;
  const required = new Set(listOf(schema["required"]));
  for (const [name, property] of Object.entries(objectOf(schema["properties"]))) {
    if (into.length >= MAX_ROWS) return;
    const at = path === "" ? name : `${path}.${name}`;
    into.push({ path: at, schema: property, is_required: required.has(name) });
    const inner = objectOf(property);
    collect(inner, { path: at, depth: depth + 1 }, into);
    const items = fieldOf(inner, "items");
    if (isObject(items)) collect(items, { path: `${at}[]`, depth: depth + 1 }, into);
  }
  for (const part of listOf(schema["allOf"])) {
    collect(objectOf(part), { path, depth: depth + 1 }, into);
  }
}
