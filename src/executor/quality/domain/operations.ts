import {
  aboutIt,
  finished,
  form,
  guarded,
  has,
  longEnough,
  signal,
  soundness,
  structured,
  terse,
  type Scorer,
  type Signal,
  type View,
} from "./signals.ts";

const STEPS = new Set(["steps", "plan", "actions", "commands", "hooks", "stages"]);

function steps({ measured }: View, wanted: number): Signal {
  const listed = measured.arrays
    .filter(({ key }) => STEPS.has(key.toLowerCase()))
    .map(({ items }) => items.length);
  const count = Math.max(measured.list_items, 0, ...listed);
  return form("few_steps", count / wanted, `${count} steps`);
}

/**
 * A deployment, planned or done:
 *
 * - correctness: nothing broken or untrue, no placeholders, the target of the request is named
 * - completeness: three steps, a verification, a way back, what has to be there before
 * - efficiency: nothing twice
 * - maintainability: no secret in clear, fixed versions instead of "latest", steps or headings
 */
export const scoreDeployment: Scorer = (view) => ({
  correctness: [soundness(view), finished(view), aboutIt(view)],
  completeness: [
    steps(view, 3),
    has(view, "no_verification", {
      keys: "verification checks health",
      words: /\bverif|\bhealth|\bsmoke|\bcheck|\bcomprob/,
      say: "no verification",
    }),
    has(view, "no_rollback", {
      keys: "rollback roll_back",
      words: /\broll(?:ing)?[ -]?back|\brevert|\bundo|\bdeshacer|\breverti/,
      say: "no way back",
    }),
    has(view, "no_prerequisites", {
      keys: "prerequisites requirements risks",
      words: /\bprerequisite|\bbefore\b|\brequire|\bbackup|\brisk|\bantes\b|\brequisito/,
      say: "nothing about what must be there before",
    }),
  ],
  efficiency: [terse(view)],
  maintainability: [
    guarded(view),
    signal("floating_version", !/:latest\b|@latest\b/.test(view.lower), "versions float: latest"),
    structured(view),
  ],
});

/** Share of the members that the request puts in backticks, or writes with dots or underscores, that are there. */
function askedMembers(view: View): Signal {
  const { description } = view.question;
  const asked = [
    ...new Set(
      description.match(/`[^`\n]{2,60}`|\b[a-z]{2,30}(?:[_.][a-z0-9]{1,30}){1,5}\b/g) ?? [],
    ),
  ]
    .map((name) => name.replaceAll("`", ""))
    .slice(0, 30);
  if (asked.length === 0) return signal("missing_settings", 1, "");
  const missing = asked.filter((name) => !isThere(name.toLowerCase(), view.lower));
  return signal(
    "missing_settings",
    1 - missing.length / asked.length,
    `not there: ${missing.slice(0, 6).join(", ")}`,
  );
}

/** A dotted path may also stand as nested members. */
function isThere(name: string, lower: string): boolean {
  return lower.includes(name) || name.split(".").every((part) => lower.includes(part));
}

function hasSettings({ code, question }: View): Signal {
  const isNested = Object.values(question.output ?? {}).some(
    (value: unknown) => value !== null && typeof value === "object",
  );
  return form(
    "no_configuration",
    code.length > 0 || isNested,
    "there is no configuration, only talk of it",
  );
}

/**
 * A configuration:
 *
 * - correctness: nothing broken or untrue, no placeholders, there is a configuration at all
 * - completeness: the settings that the request names, its subject, an explanation of 8 words
 * - efficiency: nothing twice
 * - maintainability: no secret in clear, comments or an explanation
 */
export const scoreConfiguration: Scorer = (view) => ({
  correctness: [soundness(view), finished(view), hasSettings(view)],
  completeness: [hasSettings(view), askedMembers(view), aboutIt(view), longEnough(view, 8)],
  efficiency: [terse(view)],
  maintainability: [
    guarded(view),
    form(
      "unexplained",
      /#|\/\/|explanation|because|porque/.test(view.lower),
      "settings without a word of why",
    ),
  ],
});

/** Share of the addresses in the task that the report speaks of. */
function targets(view: View): Signal {
  const given = (JSON.stringify(view.question.input_data) + view.question.description).slice(
    0,
    50_000,
  );
  const hosts = [...new Set(given.match(/(?<=https?:\/\/)[^\s"'/\\]{1,100}/g) ?? [])].slice(0, 50);
  if (hosts.length === 0) return aboutIt(view);
  const told = hosts.filter((host) => view.lower.includes(host.toLowerCase())).length;
  return signal(
    "missing_targets",
    told / hosts.length,
    `${told} of ${hosts.length} targets are told of`,
  );
}

/**
 * A report of monitoring, or a plan for it:
 *
 * - correctness: nothing broken or untrue, no placeholders, times and rates with units
 * - completeness: all targets, a state, latency, thresholds, what to do
 * - efficiency: nothing twice
 * - maintainability: parts that can be looked up
 */
export const scoreMonitoring: Scorer = (view) => ({
  correctness: [
    soundness(view),
    finished(view),
    form(
      "no_units",
      /\d\s?(?:ms|s\b|seconds?|%|segundos?|milisegundos?)|_ms\b|_s\b|percent|share|rate/.test(
        view.lower,
      ),
      "figures without units",
    ),
  ],
  completeness: [
    targets(view),
    has(view, "no_state", {
      keys: "status state healthy verdict",
      words: /\b(?:up|down|healthy|unhealthy|degraded|ok|failing|caíd[oa]|disponible)\b/,
      say: "no state",
    }),
    has(view, "no_latency", {
      keys: "latency latency_ms duration_ms",
      words: /latenc|response time|tiempo de respuesta|p95|median/,
      say: "no latency",
    }),
    has(view, "no_threshold", {
      keys: "thresholds threshold limits alerts",
      words: /threshold|limit|alert|breach|umbral|límite|alerta/,
      say: "no thresholds",
    }),
    has(view, "no_advice", {
      keys: "recommendations actions next_steps",
      words: /recommend|should|next step|investigate|recomiend|conviene|revis/,
      say: "nothing about what to do",
    }),
  ],
  efficiency: [terse(view)],
  maintainability: [
    structured(view),
    form(
      "unlisted",
      view.measured.arrays.length > 0 || view.measured.has_table || view.measured.list_items > 0,
      "neither a list nor a table",
    ),
  ],
});
