import fc from "fast-check";

/* What a message may be made of by somebody who means harm, or by a program that has gone wrong. */

/** In place of a secret that a message carries by mistake; no answer that refuses may repeat it. */
export const PLANTED = "PLANTEDpLaNtEd0123456789abcdef";

/** Texts that mean something to some interpreter behind an API. */
export const FRAGMENTS: readonly string[] = [
  "'; DROP TABLE task; --",
  '" OR 1=1 --',
  "$.a[?(@.b==1)]..*",
  "(a+)+$",
  "\r\nX-Injected: yes\r\n\r\nHTTP/1.1 200 OK",
  "<script>alert(1)</script>",
  "{{7*7}} ${7*7} #{7*7} <%= 7*7 %>",
  "../../../../etc/passwd",
  "\u0000",
  "a\u2028b\u2029c",
  "\u202Ertl\u202C \u0635\u0628\u0627\u062D",
  "\uFEFF\u200B",
  "👩‍👩‍👧‍👦🏳️‍🌈",
  "\uD800",
  "\uDC00x",
  "e\u0301\u0301\u0301\u0301",
  "%00%0d%0a%2e%2e%2f",
  "NaN",
  "-0",
  "1e309",
  "null",
  "__proto__",
  "constructor",
  "",
  " ",
];

const SECRETS: readonly string[] = [
  `bk_${PLANTED}`,
  `whsec_${PLANTED}`,
  `Bearer ${PLANTED}`,
  `https://user:${PLANTED}@example.com/`,
];

const KEYS: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "toJSON",
  "length",
  "0",
  "",
  " ",
  "a/b~c",
  "$ref",
  "\u0000",
  "\uD800",
  "schema_version",
];

const NUMBERS: readonly number[] = [
  -0,
  0,
  1,
  -1,
  0.1,
  1e-320,
  1e20,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  1.7976931348623157e308,
];

const VERSIONS: readonly string[] = ["1.0", "2", "2.9", "3.0", "99999999999999999999.0"];

function nested(depth: number): unknown {
  let value: unknown = "deep";
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** A value that fits nowhere in particular. */
const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...FRAGMENTS),
  fc.constantFrom<unknown>(...NUMBERS),
  fc.constantFrom<unknown>(...SECRETS),
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { a: 1 }, ...VERSIONS),
  fc.constantFrom(10, 31, 32, 33, 200).map(nested),
  fc.constantFrom(101, 257, 1_001, 10_001, 100_000).map((length) => "z".repeat(length)),
  fc.constantFrom(101, 1_001).map((length) => Array.from({ length }, (_, index) => index)),
  fc.string({ unit: "binary", maxLength: 30 }),
);

type Change =
  | { kind: "drop" }
  | { kind: "swap"; value: unknown }
  | { kind: "shift"; by: number }
  | { kind: "wrap" }
  | { kind: "add"; key: string; value: unknown }
  | { kind: "repeat" };

/** One change, at the place that is `where` of the way through the message. */
export interface Mutation {
  where: number;
  change: Change;
}

/** Changes to a message, of the kinds that programs and attackers make. */
export const mutations: fc.Arbitrary<Mutation> = fc.record({
  where: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
  change: fc.oneof(
    { weight: 2, arbitrary: fc.constant<Change>({ kind: "drop" }) },
    { weight: 5, arbitrary: values.map((value): Change => ({ kind: "swap", value })) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(-1, 1, 0.5).map((by): Change => ({ kind: "shift", by })),
    },
    { weight: 1, arbitrary: fc.constant<Change>({ kind: "wrap" }) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...KEYS, "password", "unknown_field"), values)
        .map(([key, value]): Change => ({ kind: "add", key, value })),
    },
    { weight: 1, arbitrary: fc.constant<Change>({ kind: "repeat" }) },
  ),
});

type Path = readonly (string | number)[];

/** Every place of a message, outermost first. */
function placesOf(value: unknown, path: Path = []): Path[] {
  if (value === null || typeof value !== "object") return [path];
  const entries = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(value);
  return [path, ...entries.flatMap(([key, item]) => placesOf(item, [...path, key]))];
}

/** Sets a key as JSON.parse does, also the one that assignment would take for the prototype. */
function put(target: object, key: string | number, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function changed(value: unknown, change: Change): unknown {
  switch (change.kind) {
    case "drop":
      return undefined;
    case "swap":
      return change.value;
    case "shift":
      return typeof value === "number" ? value + change.by : `${JSON.stringify(value)}x`;
    case "wrap":
      return [value];
    case "add": {
      if (value === null || typeof value !== "object" || Array.isArray(value))
        return { [change.key]: value };
      const copy = { ...value };
      put(copy, change.key, change.value);
      return copy;
    }
    case "repeat":
      return Array.isArray(value) ? [...value, ...value] : [value, value];
  }
}

function at(value: unknown, path: Path, change: Change): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return changed(value, change);
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? at(item, rest, change) : item));
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value ?? {})) {
    const next = name === key ? at(item, rest, change) : item;
    if (next !== undefined) put(copy, name, next);
  }
  return copy;
}

/** The message with the changes made to it, one after the other. */
export function mutated(message: unknown, changes: readonly Mutation[]): unknown {
  return changes.reduce((value, { where, change }) => {
    const places = placesOf(value);
    return at(value, places[Math.floor(where * places.length)] ?? [], change);
  }, message);
}

/** Texts for a query, a path or a header. */
export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...FRAGMENTS, ...SECRETS, ...VERSIONS, ...NUMBERS.map(String)),
  fc.constantFrom(101, 301, 1_001, 8_000).map((length) => "z".repeat(length)),
  fc.string({ unit: "binary", maxLength: 30 }),
);
