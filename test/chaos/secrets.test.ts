import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { live } from "./secrets-life.ts";
import { Surface } from "./surface.ts";

/* No secret is in any log, answer, trace, error or file: all outputs of a run are searched for every one of them. */

const LONGEST_MS = 180_000;

/** Answers that show a secret to whom it was made for, and only the one (protocol.md §4). */
const SHOWN: readonly [call: RegExp, secrets: RegExp][] = [
  [/^POST \/v1\/keys$/, /^(?:created|revoked) key$/],
  [/^(?:GET|POST) \/v1\/callback-secret(?:\/rotate)?$/, /^(?:new )?callback secret$/],
  [/^POST \/v1\/webhooks(?:\/[^/]+\/rotate-secret)?$/, /^(?:given webhook|(?:new )?secret of)/],
  [/^(?:PUT|POST) \/v1\/agents\/\w+(?:\/rotate-secret)?$/, /^(?:new )?(?:agent secret|secret of)/],
  [/^POST \/v1\/agents\/worker\/claim$|\/heartbeat$/, /^lease token$/],
  // Documented (README, Limits): whoever may read webhooks sees what they send.
  [/^(?:GET|POST) \/v1\/webhooks(?:\/\w+)?(?:\/rotate-secret)?$/, /^credential in a header$/],
  // The asker's own address.
  [/^GET \/v1\/tasks\?tag=/, /^(?:planted|key that nobody has)/],
];

/** What a receiver is sent: its credential in the header for it, and the lease in the body of a push. */
const SENT: readonly [place: RegExp, secrets: RegExp][] = [
  [/^\/(?:echo|refuse|gone)\/hook headers$/, /^credential in a header$/],
  [/^\/push\/x body$/, /^lease token of push$/],
  [/^\/decline\/x body$/, /^lease token of decline$/],
];

/** Files that hold a secret because they are where it is kept. */
const KEPT: readonly [file: RegExp, secrets: RegExp][] = [
  // Readable by the server's user alone (scripts/start.mjs).
  [/^server\.env$/, /^(?:admin|seal) key$/],
  // A lease is over with its attempt, and worth nothing without a key.
  [/-TaskObject\//, /^lease token/],
  // Shown to whoever may read webhooks, and so not sealed either.
  [/(?:-EndpointObject|-D1DatabaseObject)\//, /^credential in a header$/],
];

/** A secret as it might be written: as it is, in base64 at each of the three offsets, base64url, hex and escaped. */
function formsOf(secret: string): string[] {
  const bare = secret.replace(/^(?:whsec_|v1,)/, "");
  const raw = secret.startsWith("whsec_") ? [Buffer.from(bare, "base64")] : [];
  const encoded = [Buffer.from(secret), ...raw].flatMap((bytes) => [
    ...[0, 1, 2].flatMap((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
      // What the neighbours have a part in is left out.
      const inside = text.slice(shift === 0 ? 0 : 4, -4);
      return [inside, inside.replaceAll("+", "-").replaceAll("/", "_")];
    }),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
  ]);
  return [bare, encodeURIComponent(bare), bare.replaceAll("/", "\\/"), ...encoded];
}

const isAllowed = (
  [place, name]: readonly [string, string],
  rules: readonly (readonly [RegExp, RegExp])[],
): boolean => rules.some(([where, which]) => where.test(place) && which.test(name));

describe("the secrets of a whole run", () => {
  let world: Surface;
  let forms: [name: string, forms: string[]][];
  const found = (text: string): string[] =>
    forms.flatMap(([name, texts]) => (texts.some((one) => text.includes(one)) ? [name] : []));
  const leaks = (places: [place: string, text: string][], rules: readonly [RegExp, RegExp][]) =>
    places.flatMap(([place, text]) =>
      found(text).flatMap((name) =>
        isAllowed([place, name], rules) ? [] : [`${name} in ${place}`],
      ),
    );

  beforeAll(async () => {
    world = await Surface.start();
    await live(world);
    forms = [...world.secrets].map(([name, secret]) => [name, formsOf(secret)]);
  }, LONGEST_MS);
  afterAll(() => world.stop());

  it("are all there, and every kind of answer was given", () => {
    const statuses = new Set(world.answers.map(({ status }) => status));

    expect(world.secrets.size).toBeGreaterThan(20);
    expect([...statuses]).toEqual(
      expect.arrayContaining([200, 201, 202, 204, 400, 401, 404, 409, 413, 422]),
    );
    const areas = new Set(world.arrivals.map((arrival) => arrival.path.split("/")[1]));
    expect([...areas]).toHaveLength(7);
    expect([...areas]).toEqual(
      expect.arrayContaining(["callback", "decline", "echo", "gone", "ok", "push", "refuse"]),
    );
  });

  it("are in no line of the log", () => {
    expect(world.server.output).toContain('"event":"request"');
    expect(leaks([["the log", world.server.output]], [])).toEqual([]);
  });

  it("are in no answer but those that show one to whom it was made for", () => {
    const places = world.answers.map(({ call, text }): [string, string] => [call, text]);

    expect(leaks(places, SHOWN)).toEqual([]);
  });

  it("are in no request to a receiver, but for its own credential and lease", () => {
    const places = world.arrivals.flatMap(({ path: to, headers, body }): [string, string][] => [
      [`${to} headers`, headers],
      [`${to} body`, body],
    ]);

    expect(leaks(places, SENT)).toEqual([]);
  });

  it("are in no file of the server's state, but where they are kept", async () => {
    const files = readdirSync(world.server.state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    const places = files.map((file): [string, string] => [
      path.relative(world.server.state, file),
      readFileSync(file, "latin1"),
    ]);

    expect(places.some(([, text]) => text.startsWith("SQLite format 3"))).toBe(true);
    expect(leaks(places, KEPT)).toEqual([]);
  });
});
