import type * as z from "zod";

import { instant } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import { readParameters } from "./http/read-parameters.ts";
import { Redaction } from "./http/redaction.ts";
import { readerLanguage, type Language } from "./language.ts";
import { findingsOf } from "./monitoring/findings.ts";
import {
  parametersSchema,
  targetsOf,
  type Settings,
  type Target,
} from "./monitoring/parameters.ts";
import { probe, type Sample } from "./monitoring/probe.ts";
import { probesResult, unreachableFailure } from "./monitoring/probes-result.ts";
import { seriesResult } from "./monitoring/series-result.ts";
import { judgeSeries } from "./monitoring/series.ts";
import { judgeTarget, type TargetReport } from "./monitoring/verdict.ts";
import { progressAt } from "./progress.ts";
import type {
  JsonObject,
  Skill,
  SkillOutcome,
  SkillProgress,
  SkillTask,
  SkillTools,
} from "./skill.ts";
import { stoppedFailure } from "./stopped.ts";

const WORDS = {
  en: { reading: "Reading the task", probing: "Probing", weighing: "Weighing what was measured" },
  es: { reading: "Leyendo la tarea", probing: "Sondeando", weighing: "Valorando lo medido" },
} as const;

/** Seconds of a probe of an ordinary server with the pause after it. */
const SECONDS_PER_PROBE = 1.2;
const USUAL_PROBES = 5;
const MEASUREMENTS_PER_SECOND = 50_000;

/**
 * Probes addresses and says how they do, or judges measurements that are handed in; needs no model.
 *
 * Input: `targets` (up to 50 of `{url, name, method, headers, expect}`), one `url` with the same fields beside it, or
 * `measurements` (numbers or `{at, value}`) with `thresholds` (`min`, `max`, `p95`, `mean`). Configuration: `samples`
 * (1–20, 5), `interval_ms` (1,000), `timeout_ms` (10,000), `concurrency` (1–4), `thresholds` (`availability`,
 * `p95_ms`, `error_rate`), `language`. A target that is down is a result with `state` "down"; only a task none of
 * whose addresses may be called fails.
 */
export const monitoring: Skill = {
  task_type: "monitoring",
  prior_quality: 0.9,
  estimate: ({ targets, measurements }) => {
    const groups = Array.isArray(targets) ? Math.ceil(targets.length / 4) : 1;
    const values = Array.isArray(measurements) ? measurements.length : 0;
    return values > 0
      ? 1 + Math.ceil(values / MEASUREMENTS_PER_SECOND)
      : Math.max(1, Math.ceil(groups * USUAL_PROBES * SECONDS_PER_PROBE));
  },
  lack: ({ input_data: { targets, url, measurements } }) =>
    targets === undefined && url === undefined && measurements === undefined
      ? "Monitoring without a model needs addresses to probe (input_data.targets or input_data.url) or values to judge (input_data.measurements)."
      : null,
  run: monitor,
};

async function* monitor(
  task: SkillTask,
  tools: SkillTools,
): AsyncGenerator<SkillProgress, SkillOutcome> {
  const language = readerLanguage(task.configuration["language"], task.description);
  const read = readParameters(parametersSchema, task);
  if (!read.ok) return read;
  const { input_data } = read.value;
  if (input_data.measurements === undefined) {
    return yield* probeAll(read.value, language, tools);
  }
  const words = WORDS[language];
  yield progressAt([words.reading, words.weighing], 1, {
    measurements: input_data.measurements.length,
  });
  return ok(
    seriesResult(judgeSeries(input_data.measurements, input_data.thresholds), {
      language,
      timed: input_data.measurements.filter(({ at }) => at !== null).length,
    }),
  );
}

type Named = Target & { name: string };

async function* probeAll(
  { input_data, configuration }: z.infer<typeof parametersSchema>,
  language: Language,
  tools: SkillTools,
): AsyncGenerator<SkillProgress, SkillOutcome> {
  const targets = targetsOf(input_data);
  const redaction = new Redaction();
  for (const target of targets) redaction.learn(target);
  const groups = chunksOf(targets, configuration.concurrency);
  const words = WORDS[language];
  const steps = [
    words.reading,
    ...groups.map((group) => `${words.probing} ${group.map(({ name }) => name).join(", ")}`),
    words.weighing,
  ].map((step) => redaction.text(step).slice(0, 300));
  const reports: TargetReport[] = [];
  for (const [index, group] of groups.entries()) {
    yield progressAt(steps, index + 1, statesOf(reports, redaction));
    try {
      const probes = await tools.step(`probe-${index}`, () =>
        probeGroup(group, configuration, tools),
      );
      reports.push(...judgeGroup(group, probes, configuration));
    } catch (cause) {
      if (!tools.signal.aborted) throw cause;
      return refuse(stoppedFailure(`${reports.length} of ${targets.length} targets were probed.`));
    }
  }
  yield progressAt(steps, groups.length + 1, statesOf(reports, redaction));
  if (reports.every(({ state }) => state === "not_probed")) {
    return refuse(unreachableFailure(redaction.json(reports)));
  }
  const clean = redaction.json(reports);
  return ok(probesResult(clean, findingsOf(clean, language), { targets, configuration, language }));
}

type GroupProbes = { at: string; samples: Sample[] }[];

function probeGroup(
  group: readonly Named[],
  settings: Settings,
  tools: SkillTools,
): Promise<GroupProbes> {
  return Promise.all(
    group.map(async (target) => ({
      at: instant(tools.now()),
      samples: await probe(target, settings, tools),
    })),
  );
}

function judgeGroup(
  group: readonly Named[],
  probes: GroupProbes,
  { samples, thresholds }: Settings,
): TargetReport[] {
  return group.flatMap((target, index) => {
    const made = probes[index];
    return made === undefined ? [] : [judgeTarget(target, made, { planned: samples, thresholds })];
  });
}

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function statesOf(reports: readonly TargetReport[], redaction: Redaction): JsonObject {
  return { states: reports.map(({ name, state }) => ({ name: redaction.text(name), state })) };
}
