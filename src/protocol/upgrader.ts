import { VERSION_HEADER, VERSIONS } from "./versions.ts";
import type { ContractVersion, Json, Step, VersionRegistry, Versions } from "./versions.ts";

/* How a message of an older version or form becomes the newest, before any schema sees it. Pure. */

/** What every registry promises, in words; the rules that `createUpgrader` follows. */
const RULES = [
  "A message says its version in schema_version, or else in the header Batuta-Version, or else speaks the default.",
  "A later minor of the current major is read as the newest known one, and its unknown fields are refused.",
  "An earlier minor is upgraded before it is judged.",
  "Another major is refused with unsupported_version and the supported list.",
];

/** Something that was understood and should be sent otherwise. Dates are days, UTC. */
export interface Notice {
  text: string;
  deprecated_since: string;
  sunset: string | null;
}

/** A message in the newest form, and what is to be said of the form it came in. */
interface Upgraded {
  message: unknown;
  notices: Notice[];
}

/** Reads versions and lifts messages by one registry. */
export interface Upgrader {
  current: string;
  /** Every way to write a supported version. */
  supported: readonly string[];
  view: Versions;
  /** The known version as which a text is read; null for another major, or for what is no version. */
  known(text: string): string | null;
  /**
   * A message of a kind as the newest version has it. What says an unknown version stays as it is, for the schema to
   * refuse.
   *
   * @param spoken what the header said, for messages that say nothing themselves
   */
  upgrade(kind: string | undefined, message: unknown, spoken?: string | null): Upgraded;
}

const VERSION = /^(\d{1,4})(?:\.(\d{1,4}))?$/;

/** Major and minor of a version as it may be written (`2` is `2.0`); null for any other text. */
export function numbersOf(text: string): { major: number; minor: number } | null {
  const [, major, minor = "0"] = VERSION.exec(text) ?? [];
  return major === undefined ? null : { major: Number(major), minor: Number(minor) };
}

function isRecord(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** A copy with the values at a place replaced; the very same value when none of them changes. */
function mapAt(
  value: unknown,
  path: readonly string[],
  change: (inner: unknown) => unknown,
): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (step === "*") {
    if (!Array.isArray(value)) return value;
    const items: unknown[] = value;
    const mapped = items.map((item) => mapAt(item, rest, change));
    return mapped.some((item, index) => item !== items[index]) ? mapped : value;
  }
  if (!isRecord(value) || !Object.hasOwn(value, step)) return value;
  const inner: unknown = mapAt(value[step], rest, change);
  return inner === value[step] ? value : { ...value, [step]: inner };
}

const pathOf = (pointer: string): string[] => pointer.split("/").slice(1);

function noticeOf(version: ContractVersion, current: string): Notice | null {
  return version.deprecated_since === null
    ? null
    : {
        text: `version ${version.version} is deprecated, send ${current}`,
        deprecated_since: version.deprecated_since,
        sunset: version.sunset,
      };
}

function viewOf(registry: VersionRegistry, current: string): Versions {
  return {
    current,
    default: registry.default,
    header: VERSION_HEADER,
    supported: [...registry.versions],
    deprecated_forms: [...registry.forms],
    unsupported: registry.unsupported,
    rules: RULES,
  };
}

/** Replaces deprecated values of a kind by what means the same, and tells of each form once. */
function withoutForms(
  registry: VersionRegistry,
  kind: string,
  { message, tell }: { message: unknown; tell: (notice: Notice) => void },
): unknown {
  return registry.forms.reduce((before, { form_id, value, instead, where, ...form }) => {
    const change = (inner: unknown) => {
      if (inner !== value) return inner;
      tell({ ...form, text: `${form_id}: "${value}" is deprecated, send "${instead}"` });
      return instead;
    };
    return (where[kind] ?? []).reduce(
      (lifted: unknown, pointer) => mapAt(lifted, pathOf(pointer), change),
      before,
    );
  }, message);
}

/**
 * The reading of one registry. Production has the real one (`UPGRADER`); a test shows the next minor by another.
 *
 * @throws RangeError for a registry without a version
 */
export function createUpgrader(registry: VersionRegistry): Upgrader {
  const newest = registry.versions.at(-1);
  if (newest === undefined) throw new RangeError("a registry needs a version");
  const current = newest.version;
  const known = (text: string): string | null => {
    const asked = numbersOf(text);
    const read = registry.versions.findLast(({ version }) => {
      const own = numbersOf(version);
      return own?.major === asked?.major && (own?.minor ?? 0) <= (asked?.minor ?? -1);
    });
    return read?.version ?? null;
  };
  const stepsFrom = (version: string): readonly Step[] => {
    const first = registry.steps.findIndex(({ from }) => from === version);
    return first < 0 ? [] : registry.steps.slice(first);
  };

  const lift = (kind: string, message: unknown, said: string, tell: (notice: Notice) => void) => {
    if (!isRecord(message)) return message;
    const own = message["schema_version"];
    const version = typeof own === "string" ? known(own) : said;
    if (version === null) return message;
    const spoken = registry.versions.find((each) => each.version === version);
    const notice = spoken === undefined ? null : noticeOf(spoken, current);
    if (notice !== null) tell(notice);
    const stepped = stepsFrom(version).reduce(
      (before: Json, { upgrade }) => upgrade[kind]?.(before) ?? before,
      message,
    );
    let lifted = withoutForms(registry, kind, { message: stepped, tell });
    for (const [pointer, part] of Object.entries(registry.parts[kind] ?? {})) {
      lifted = mapAt(lifted, pathOf(pointer), (inner) => lift(part, inner, version, tell));
    }
    return isRecord(lifted) && typeof own === "string" && own !== current
      ? { ...lifted, schema_version: current }
      : lifted;
  };

  return {
    current,
    supported: registry.versions.flatMap(({ accepts }) => accepts),
    view: viewOf(registry, current),
    known,
    upgrade(kind, message, spoken = null) {
      const notices = new Map<string, Notice>();
      const tell = (notice: Notice) => void notices.set(notice.text, notice);
      const said = spoken ?? registry.default;
      return { message: lift(kind ?? "", message, said, tell), notices: [...notices.values()] };
    },
  };
}

/** The reading of every message that comes in. */
export const UPGRADER = createUpgrader(VERSIONS);
