import fc from "fast-check";

import type { Route } from "../../../src/rest/route.ts";
import { mutated, mutations, PLANTED, texts } from "./hostile.ts";
import type { Mutation } from "./hostile.ts";
import { messagesOf, placeholder } from "./messages.ts";
import type { ByName } from "./messages.ts";
import { SENDERS, STAGES } from "./world.ts";

/* Requests drawn from the table of routes: right ones, wrong ones, and such as no client makes. */

const TRANSPORTS = [
  "plain",
  "gzip",
  "brokenGzip",
  "truncated",
  "notUtf8",
  "empty",
  "untyped",
  "wrongType",
  "raw",
] as const;
type Transport = (typeof TRANSPORTS)[number];

/** A request with places that stand for things of the world. */
export interface Drawn {
  scene: number;
  sender: (typeof SENDERS)[number] | "nobody" | "liar";
  method: string;
  path: string;
  query: readonly (readonly [string, string])[];
  headers: Readonly<Record<string, string>>;
  /** JSON text; null where the route takes none. */
  body: string | null;
  transport: Transport;
  /** Of the broken transports: how much of the body, and which of the raw texts. */
  cut: number;
}

/** Names that stand for something of the scene. */
const OF_SCENE = new Set([
  "task_id",
  "agent_id",
  "webhook_id",
  "delivery_id",
  "recovery_id",
  "escalation_id",
  "debt_id",
  "batch_id",
  "request_id",
  "key_id",
  "memory_id",
  "model_id",
  "channel_id",
  "parent_task_id",
  "subtask_id",
  "pool",
]);

const addresses = fc.constantFrom(
  "https://hooks.receiver.test/r/fuzz",
  "https://hooks.receiver.test/r/fuzz?a=b#c",
  "https://127.0.0.1/",
  "https://[::1]/",
  "file:///etc/passwd",
  "https://169.254.169.254/",
);

/** What else a schema cannot know. `undefined` leaves the field out. */
const MEANINGS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  url: addresses,
  callback_url: addresses,
  dependencies: fc.constantFrom<unknown>([], [placeholder("task_id")]),
  deadline: fc.constant(placeholder("soon")),
  expires_at: fc.constant(placeholder("soon")),
  since: fc.constant("2026-01-01T00:00:00Z"),
  created_after: fc.constant("2026-01-01T00:00:00Z"),
  until: fc.constant(placeholder("now")),
  tenant: fc.constantFrom("fuzz", "fuzz-others"),
  claim_next: fc.constantFrom("0", "1", "10"),
  cursor: fc.constant(placeholder("cursor")),
  limit: fc.constantFrom("1", "50", "200"),
  window: fc.constantFrom("1h", "24h", "3600", "60"),
  key: fc.constantFrom("note", "other"),
  name: fc.constantFrom("task_execution", "notification", "problem", "key"),
  index: fc.constantFrom("0", "1", "2"),
  schema_version: fc.constantFrom("2.0", "2", "2.7"),
  reason: fc.constantFrom("cancelled", "success", "escalated", "because"),
  filter: fc.constant({ status: "running", pool: "no-such-pool" }),
  all: fc.constant(undefined),
  Upgrade: fc.constant("websocket"),
  "Lease-Token": fc.constant(placeholder("token")),
};

const meaningful: ByName = (name, otherwise) => {
  // Waiting is allowed, and has tests of its own.
  if (name === "wait" || name === "wait_seconds") {
    return otherwise.map((value) => (typeof value === "string" ? "0" : 0));
  }
  const meaning = OF_SCENE.has(name) ? fc.constant(placeholder(name)) : MEANINGS[name];
  if (meaning === undefined) return otherwise;
  return fc.oneof({ weight: 12, arbitrary: meaning }, { weight: 1, arbitrary: otherwise });
};

/** None, for a request as it should be, in half of all cases. */
const changes: fc.Arbitrary<Mutation[]> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 5, arbitrary: fc.array(mutations, { minLength: 1, maxLength: 3 }) },
);

const seldom = <Value>(common: fc.Arbitrary<Value>, rare: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 12, arbitrary: common }, { weight: 1, arbitrary: rare });

/** Percent-encodings that are wrong, double, or mean a separator. */
export const oddities = fc.constantFrom(
  "%",
  "%2",
  "%zz",
  "%ff",
  "%00",
  "%2e%2e%2f",
  "..%2f..%2f",
  "%252e",
  "%0d%0aX-Injected:%20yes",
  "%c0%ae",
  "%ed%a0%80",
  "%E2%80%AE",
  "a%20b",
  "a+b",
  ";x=y",
  "%3f%23",
  "..;",
  "'\"<>",
  "~",
  ".",
  `bk_${PLANTED}`,
  "z".repeat(9_000),
);

const encoded = texts.map((text) => encodeURIComponent(text.toWellFormed()) || "%20");

function pathsOf(route: Route): fc.Arbitrary<string> {
  const shape = route.params?.shape ?? {};
  const parts = route.path.split("/").map((part) => {
    if (!part.startsWith(":")) return fc.constant(part);
    const name = part.slice(1);
    const schema = shape[name];
    if (schema === undefined) throw new Error(`${route.path} does not declare ${name}`);
    const right = meaningful(name, messagesOf(schema, meaningful));
    const encode = (value: unknown): string =>
      encodeURIComponent(String(value).toWellFormed())
        .replace("%3C%3C", "<<")
        .replace("%3E%3E", ">>");
    return seldom(right.map(encode), fc.oneof(encoded, oddities));
  });
  return fc.tuple(...parts).map((drawn) => drawn.join("/"));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** Parameters by the schema, some of them changed, given twice or made up. */
function queriesOf(route: Route): fc.Arbitrary<[string, string][]> {
  const right = route.query === undefined ? fc.constant({}) : messagesOf(route.query, meaningful);
  const names = Object.keys(route.query?.shape ?? {});
  const others = fc.array(fc.tuple(fc.constantFrom("unknown", "__proto__", "", ...names), texts), {
    minLength: 1,
    maxLength: 2,
  });
  return fc
    .tuple(right, seldom(fc.constant<[string, string][]>([]), others))
    .map(([valid, more]) => [
      ...Object.entries(valid ?? {}).map(([name, value]): [string, string] => [
        name,
        textOf(value),
      ]),
      ...more,
    ]);
}

/** Texts as a header can carry them: Latin-1 without line ends. */
const headerTexts = texts.map((text) => text.replaceAll(/[^\t\u0020-\u007e\u00a0-\u00ff]/g, "?"));

function headersOf(route: Route): fc.Arbitrary<Record<string, string>> {
  const names = Object.keys(route.headers?.shape ?? {});
  const fields = names.map((name) => {
    const value = seldom(MEANINGS[name] ?? headerTexts, headerTexts).map(String);
    const isNeeded = name === "Lease-Token" || name === "Upgrade";
    return value.chain((text) =>
      fc.tuple(
        fc.constant(name),
        fc.constant(text),
        fc.nat(9).map((luck) => (isNeeded ? luck > 0 : luck > 6)),
      ),
    );
  });
  const others = fc.dictionary(
    fc.constantFrom("X-Request-Id", "traceparent", "Accept", "Cookie", "X-Forwarded-For", "Origin"),
    headerTexts,
    { maxKeys: 1 },
  );
  return fc.tuple(fc.tuple(...fields), others).map(([declared, more]) => ({
    ...more,
    ...Object.fromEntries(
      declared.flatMap(([name, text, isThere]) => (isThere ? [[name, text]] : [])),
    ),
  }));
}

function bodiesOf(route: Route): fc.Arbitrary<string | null> {
  // A client cannot give GET a body at all.
  if (route.method === "GET") return fc.constant(null);
  if (route.body === undefined) return seldom(fc.constant<string | null>(null), fc.constant("{}"));
  return fc
    .tuple(messagesOf(route.body, meaningful), changes)
    .map(([message, made]) => JSON.stringify(mutated(message, made)) ?? "");
}

/** Requests to one route. */
export function requestsOf(route: Route): fc.Arbitrary<Drawn> {
  return fc.record({
    scene: fc.nat(STAGES.length - 1),
    sender: fc.oneof(
      { weight: 14, arbitrary: fc.constant<Drawn["sender"]>("admin") },
      { weight: 6, arbitrary: fc.constantFrom<Drawn["sender"]>(...SENDERS, "nobody", "liar") },
    ),
    method: fc.constant(route.method),
    path: pathsOf(route),
    query: queriesOf(route),
    headers: headersOf(route),
    body: bodiesOf(route),
    transport: fc.oneof(
      { weight: 24, arbitrary: fc.constant<Transport>("plain") },
      { weight: 2, arbitrary: fc.constant<Transport>("gzip") },
      { weight: 4, arbitrary: fc.constantFrom<Transport>(...TRANSPORTS) },
    ),
    cut: fc.nat(999),
  });
}

const RAW: readonly string[] = [
  "NaN",
  "[1,]",
  "{'a':1}",
  '{"a":1,"a":2}',
  "\uFEFF{}",
  "null",
  "[]",
  '"text"',
  "0",
  "{}{}",
  "//",
  "[".repeat(100_000),
  `{"a":${"9".repeat(10_000)}}`,
  '{"__proto__":{"isAdmin":true}}',
  `{"secret":"whsec_${PLANTED}","password":"${PLANTED}"}`,
  `"bk_${PLANTED}`,
];

/** The bytes of a body on their way, and what they are said to be. */
export async function wrapped(
  text: string,
  { transport, cut }: Pick<Drawn, "transport" | "cut">,
): Promise<{ bytes: Uint8Array; headers: Record<string, string> }> {
  const bytes = new TextEncoder().encode(text);
  const typed = { "content-type": "application/json" };
  const gzip = { ...typed, "content-encoding": "gzip" };
  switch (transport) {
    case "plain":
      return { bytes, headers: typed };
    case "gzip": {
      const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
      return { bytes: new Uint8Array(await new Response(stream).arrayBuffer()), headers: gzip };
    }
    case "brokenGzip":
      return { bytes: Uint8Array.from([0x1f, 0x8b, 8, 0, ...bytes.slice(0, cut)]), headers: gzip };
    case "truncated":
      return { bytes: bytes.slice(0, Math.floor((bytes.length * cut) / 1_000)), headers: typed };
    case "notUtf8":
      return { bytes: Uint8Array.from([0x22, 0xff, 0xc0, 0x22, ...bytes]), headers: typed };
    case "empty":
      return { bytes: new Uint8Array(), headers: typed };
    case "untyped":
      return { bytes, headers: {} };
    case "wrongType": {
      const types = [
        "text/plain",
        "application/xml",
        "application/json; charset=utf-16",
        "json",
        ";",
      ];
      return { bytes, headers: { "content-type": types[cut % types.length] ?? "" } };
    }
    case "raw":
      return { bytes: new TextEncoder().encode(RAW[cut % RAW.length]), headers: typed };
  }
}
