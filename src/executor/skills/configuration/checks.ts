import {
  isList,
  isObject,
  leavesOf,
  memberOf,
  textOf,
  typeOf,
  valueAt,
} from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import type { ConfigurationDocument } from "./documents.ts";

/** Something that a schema does not see and an operator wants to know. */
export interface Notice {
  kind: "unresolved_placeholder" | "duplicate_port" | "type_change";
  document: string;
  pointer: string;
  line: number | null;
  detail: string;
}

const PLACEHOLDER = /(?<!\$)\$\{([A-Za-z_]\w*)(:?[-?+=][^}]*)?\}/g;
const PORT_NAME = /(?:^|[_.-])port$|[a-z]Port$/i;

/**
 * What is suspicious across documents, whatever their schema:
 *
 * - ${VAR} without a default that neither `variables` nor a .env document of the task gives
 * - one port used twice in one document (`port`-like names, and host ports of compose files)
 * - a value of another type in another document: "5432" here and 5432 there
 */
export function checkDocuments(
  documents: readonly ConfigurationDocument[],
  variables: JsonObject,
): Notice[] {
  const known = new Set(Object.keys(variables));
  for (const { format, value } of documents) {
    if (format === "env" && isObject(value)) for (const name of Object.keys(value)) known.add(name);
  }
  return [
    ...documents.flatMap((document) => [...placeholders(document, known), ...ports(document)]),
    ...typeChanges(documents),
  ];
}

function notice(
  kind: Notice["kind"],
  document: ConfigurationDocument,
  pointer: string,
  detail: string,
): Notice {
  const line = document.places?.(pointer, "value").line ?? null;
  return { kind, document: document.name, pointer, line, detail };
}

function placeholders(document: ConfigurationDocument, known: ReadonlySet<string>): Notice[] {
  return [...leavesOf(document.value)].flatMap(([pointer, value]) => {
    if (typeof value !== "string") return [];
    const missing = [...value.matchAll(PLACEHOLDER)].filter(
      ([, name = "", fallback = ""]) => !known.has(name) && !/^:?[-=+]/.test(fallback),
    );
    return missing.map(([, name = ""]) =>
      notice(
        "unresolved_placeholder",
        document,
        pointer,
        `\${${name}} has no value and no default.`,
      ),
    );
  });
}

function ports(document: ConfigurationDocument): Notice[] {
  const users = new Map<string, string>();
  return [...leavesOf(document.value)].flatMap(([pointer, value]) => {
    const port = hostPort(document.value, pointer, value);
    if (port === null) return [];
    const first = users.get(port);
    if (first === undefined) users.set(port, pointer);
    if (first === undefined) return [];
    return [
      notice("duplicate_port", document, pointer, `Port ${port} is used at ${first} already.`),
    ];
  });
}

/** The port of this machine that a value takes, with its address and protocol when told; null when it takes none. */
function hostPort(root: JsonValue, pointer: string, value: JsonValue): string | null {
  const parts = pointer.split("/");
  const name = parts.at(-1) ?? "";
  if (parts.at(-2) === "ports" && typeof value === "string") return publishedPort(value);
  // A service in a compose file has its own network: only what it publishes counts.
  if (isObject(root) && isObject(memberOf(root, "services"))) {
    return name === "published" ? textOf(value) : null;
  }
  const holder = valueAt(root, pointer.slice(0, pointer.lastIndexOf("/")));
  // Beside a host it is a port of that machine, not of this one.
  const isElsewhere =
    isObject(holder) && Object.keys(holder).some((key) => /host|url|addr/i.test(key));
  const isPort = PORT_NAME.test(name) && /^\d{2,5}$/.test(textOf(value));
  return isPort && !isElsewhere ? textOf(value) : null;
}

/** `[address:]host:container[/protocol]`; a lone container port gets a free one. */
function publishedPort(value: string): string | null {
  const found = /^(?:([\d.]+):)?(\d{1,5}):\d{1,5}(?:\/(tcp|udp))?$/.exec(value);
  if (found === null) return null;
  const [, address = "", port = "", protocol = "tcp"] = found;
  const at = address === "" || address === "0.0.0.0" ? "" : `${address}:`;
  return `${at}${port}${protocol === "udp" ? "/udp" : ""}`;
}

function typeChanges(documents: readonly ConfigurationDocument[]): Notice[] {
  const seen = new Map<string, { type: string; document: string }>();
  return documents.flatMap((document) => {
    if (document.format === "env" || document.format === "properties") return [];
    return [...leavesOf(document.value)].flatMap(([pointer, value]) => {
      const type = typeOf(value) === "integer" ? "number" : typeOf(value);
      const before = seen.get(pointer);
      if (before === undefined) seen.set(pointer, { type, document: document.name });
      if (
        before === undefined ||
        before.type === type ||
        isList(value) ||
        [type, before.type].includes("null")
      )
        return [];
      const detail = `It is a ${type} here and a ${before.type} in ${before.document}.`;
      return [notice("type_change", document, pointer, detail)];
    });
  });
}
