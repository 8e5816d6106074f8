import { isObject } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import { code, inlineProse, plain, prose, table } from "./markdown.ts";
import type { Link } from "./page.ts";
import { addSchema, propertiesOf } from "./schema-reference.ts";
import { dereferenced, listOf, objectOf, type SchemaSource } from "./schema-source.ts";
import { rulesOf, typeOf } from "./schema-type.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/** Operations that share their path by reference cost the source nothing: what is written of them is bounded here. */
const MAX_OPERATIONS = 2_000;
const MAX_PARAMETERS = 200;

interface Operation {
  name: string;
  operation: JsonObject;
  parameters: JsonObject[];
}

/**
 * The sections of an OpenAPI 3.x document: what it is, its servers and authentication, its operations by tag, its
 * webhooks, its schemas.
 *
 * @param title of the page, when the task gives one
 */
export function documentOpenApi(source: SchemaSource, title: string | null): void {
  const { root, page, words } = source;
  const info = objectOf(root["info"]);
  const description = page.account("info", "API", info["description"] ?? info["summary"]);
  page.add({
    level: 1,
    title: title ?? textOf(info["title"]) ?? words.reference,
    key: null,
    body: () => [
      `${words.version}: ${code(textOf(info["version"]) ?? "?")} · OpenAPI ${code(textOf(root["openapi"]) ?? "3")}`,
      description === null ? "" : prose(description),
    ],
  });
  addServers(source);
  addAuthentication(source);
  addOperations(source, { paths: objectOf(root["paths"]), title: words.operations });
  addOperations(source, { paths: objectOf(root["webhooks"]), title: words.webhooks });
  const schemas = Object.entries(objectOf(objectOf(root["components"])["schemas"]));
  if (schemas.length > 0) page.add({ level: 2, title: words.schemas, key: null, body: () => [] });
  for (const [id, schema] of schemas) {
    addSchema(source, { level: 3, id, schema, group: "#/components/schemas" });
  }
}

function addServers({ root, page, words }: SchemaSource): void {
  const servers = listOf(root["servers"]).filter(isObject);
  if (servers.length === 0) return;
  const listed = servers.map(({ url, description }) => {
    const told = textOf(description);
    return `- ${code(textOf(url) ?? "/")}${told === null ? "" : ` — ${inlineProse(told)}`}`;
  });
  page.add({ level: 2, title: words.servers, key: null, body: () => [listed.join("\n")] });
}

function addAuthentication(source: SchemaSource): void {
  const { root, page, words } = source;
  const schemes = Object.entries(objectOf(objectOf(root["components"])["securitySchemes"]));
  if (schemes.length === 0) return;
  const rows = schemes.map(([name, given]) => {
    const { type, scheme, in: place, name: field, description } = dereferenced(source, given);
    const told = page.account(`securitySchemes ${name}`, "security scheme", description);
    const how = [type, scheme, place, field].map(textOf).filter((part) => part !== null);
    return [code(name, "cell"), plain(how.join(" ")), told === null ? "" : inlineProse(told)];
  });
  const head = [words.name, words.type, words.description];
  page.add({ level: 2, title: words.authentication, key: null, body: () => [table(head, rows)] });
}

function addOperations(
  source: SchemaSource,
  { paths, title }: { paths: JsonObject; title: string },
): void {
  const { root, page } = source;
  const groups = new Map<string, Operation[]>();
  for (const found of operationsOf(source, paths).slice(0, MAX_OPERATIONS)) {
    const tag = textOf(listOf(found.operation["tags"])[0]) ?? title;
    groups.set(tag, [...(groups.get(tag) ?? []), found]);
  }
  const tags = listOf(root["tags"]).filter(isObject);
  for (const [tag, operations] of groups) {
    const about = textOf(tags.find(({ name }) => name === tag)?.["description"]);
    const body = () => [about === null ? "" : prose(about)];
    page.add({ level: 2, title: tag, key: null, body });
    for (const found of operations) {
      page.add({ level: 3, title: found.name, key: null, body: operationBody(source, found) });
    }
  }
}

function operationsOf(source: SchemaSource, paths: JsonObject): Operation[] {
  return Object.entries(paths).flatMap(([path, given]) => {
    const item = dereferenced(source, given);
    return METHODS.flatMap((method) => {
      const operation = item[method];
      if (!isObject(operation)) return [];
      const parameters = new Map<string, JsonObject>();
      // What the operation says of a parameter replaces what its path says.
      for (const parameter of [...listOf(item["parameters"]), ...listOf(operation["parameters"])]) {
        const own = dereferenced(source, parameter);
        parameters.set(JSON.stringify([own["in"], own["name"]]), own);
      }
      return [
        {
          name: `${method.toUpperCase()} ${path}`,
          operation,
          parameters: [...parameters.values()].slice(0, MAX_PARAMETERS),
        },
      ];
    });
  });
}

function operationBody(
  source: SchemaSource,
  { name, operation, parameters }: Operation,
): (link: Link) => readonly string[] {
  const { page, words } = source;
  const { summary, description, operationId, deprecated, requestBody, responses } = operation;
  page.account(name, "operation", description ?? summary);
  for (const parameter of parameters) {
    const about = parameter["description"] ?? objectOf(parameter["schema"])["description"];
    page.account(`${name} ${textOf(parameter["name"]) ?? "?"}`, "parameter", about);
  }
  const answers = Object.entries(objectOf(responses)).map(([status, given]) => {
    const response = dereferenced(source, given);
    page.account(`${name} ${status}`, "response", response["description"]);
    return { status, response };
  });
  const body = requestBody === undefined ? null : dereferenced(source, requestBody);
  return (link) => [
    deprecated === true ? `**${words.deprecated}**` : "",
    textOf(summary) === null ? "" : `**${plain(textOf(summary) ?? "")}**`,
    textOf(description) === null ? "" : prose(textOf(description) ?? ""),
    textOf(operationId) === null ? "" : `operationId: ${code(textOf(operationId) ?? "")}`,
    securityLine(operation, source),
    ...parameterBlocks(source, parameters, link),
    ...(body === null ? [] : requestBlocks(source, body, link)),
    ...responseBlocks(source, answers, link),
  ];
}

function securityLine(operation: JsonObject, { root, words }: SchemaSource): string {
  const needed = operation["security"] ?? root["security"];
  const ways = listOf(needed)
    .filter(isObject)
    .map((way) =>
      Object.keys(way)
        .map((scheme) => code(scheme))
        .join(" + "),
    )
    .filter((way) => way !== "");
  return ways.length === 0 ? "" : `${words.authentication}: ${ways.join(` ${words.or} `)}`;
}

function parameterBlocks(
  source: SchemaSource,
  parameters: readonly JsonObject[],
  link: Link,
): string[] {
  const { words } = source;
  if (parameters.length === 0) return [];
  const rows = parameters.map((parameter) => {
    const { name, in: place, required, deprecated } = parameter;
    const content = Object.values(objectOf(parameter["content"])).map(objectOf);
    const schema = parameter["schema"] ?? content[0]?.["schema"];
    const own = objectOf(schema);
    const about = textOf(parameter["description"]) ?? textOf(own["description"]);
    const told = [
      deprecated === true ? `**${words.deprecated}**` : "",
      about === null ? "" : inlineProse(about),
      rulesOf(own, source).join("; "),
    ];
    return [
      code(textOf(name) ?? "?", "cell"),
      plain(textOf(place) ?? "?"),
      typeOf(schema, source, { link }),
      required === true ? words.yes : words.no,
      told.filter((part) => part !== "").join(" "),
    ];
  });
  const head = [words.name, words.in, words.type, words.required, words.description];
  return [`**${words.parameters}**`, table(head, rows)];
}

function requestBlocks(source: SchemaSource, body: JsonObject, link: Link): string[] {
  const { words } = source;
  const about = textOf(body["description"]);
  const isNeeded = body["required"] === true ? words.required.toLowerCase() : words.optional;
  return [
    `**${words.request_body}** (${isNeeded})${about === null ? "" : ` — ${inlineProse(about)}`}`,
    ...contentOf(body).flatMap(([media, schema]) => [
      `${code(media)}: ${typeOf(schema, source, { link })}`,
      propertiesOf(source, schema ?? true, link),
    ]),
  ];
}

function responseBlocks(
  source: SchemaSource,
  answers: readonly { status: string; response: JsonObject }[],
  link: Link,
): string[] {
  const { words } = source;
  if (answers.length === 0) return [];
  const rows = answers.map(({ status, response }) => {
    const about = textOf(response["description"]);
    const content = contentOf(response).map(
      ([media, schema]) => `${code(media, "cell")}: ${typeOf(schema, source, { link })}`,
    );
    return [code(status, "cell"), about === null ? "" : inlineProse(about), content.join("<br>")];
  });
  return [`**${words.responses}**`, table([words.status, words.description, words.content], rows)];
}

function contentOf({ content }: JsonObject): [string, JsonValue | undefined][] {
  return Object.entries(objectOf(content)).map(([media, given]) => [
    media,
    objectOf(given)["schema"],
  ]);
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}
