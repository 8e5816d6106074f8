import { ok, type Result } from "../../lib/result.ts";
import { assessReference } from "./documentation/documentation-quality.ts";
import { documentOpenApi } from "./documentation/openapi-reference.ts";
import { Page } from "./documentation/page.ts";
import { lacksSource, readSource, type Source } from "./documentation/read-source.ts";
import { documentSchema } from "./documentation/schema-reference.ts";
import { documentTypeScript } from "./documentation/typescript-reference.ts";
import { readDeclarations } from "./documentation/typescript/declarations.ts";
import { wordsFor } from "./documentation/words.ts";
import { refuseInput } from "./input-failure.ts";
import { readerLanguage, type Language } from "./language.ts";
import { progressAt } from "./progress.ts";
import type {
  JsonObject,
  JsonValue,
  PureRun,
  PureSkill,
  SkillFailure,
  SkillTask,
} from "./skill.ts";

const STEPS: Readonly<Record<Language, readonly string[]>> = {
  en: ["Reading the source", "Collecting what it declares", "Writing the reference"],
  es: ["Leyendo la fuente", "Reuniendo lo que declara", "Escribiendo la referencia"],
};

const CHARACTERS_PER_SECOND = 200_000;
const LONGEST_TITLE = 200;
const LANGUAGES: readonly (JsonValue | undefined)[] = [undefined, "auto", "en", "es"];

interface Options {
  title: string | null;
  include_private: boolean;
  heading_level: number;
}

/**
 * Writes a Markdown reference from an OpenAPI 3.x document, a JSON Schema or TypeScript declarations; needs no model.
 *
 * Input: `openapi` or `schema` (an object, or JSON or YAML text), `typescript` (text), or `text` that is one of them.
 * Configuration: `title`, `language` ("en" or "es": of the words that it adds; default: that of the description),
 * `include_private` (TypeScript: what is not exported, private or @internal too; default false), `heading_level`
 * (of the title, 1–4, default 1). The output has `markdown`, `toc` (headings with GitHub's anchors), `statistics`
 * (documented, undocumented, coverage, sections, unresolved references …) and `missing`: the first 200 places that
 * have no description. Descriptions keep their Markdown, and can bring in no HTML, heading or table cell.
 */
export const documentation: PureSkill = {
  task_type: "documentation",
  prior_quality: 0.8,
  estimate: (input_data) =>
    1 + Math.ceil(JSON.stringify(input_data).length / CHARACTERS_PER_SECOND),
  lack: ({ input_data }) => lacksSource(input_data),
  run: write,
};

function* write({ description, input_data, configuration }: SkillTask): PureRun {
  const options = readOptions(configuration);
  if (!options.ok) return options;
  const language = readerLanguage(configuration["language"], description);
  const steps = STEPS[language];
  yield progressAt(steps, 0);
  const source = readSource(input_data);
  if (!source.ok) return source;
  yield progressAt(steps, 1, { kind: source.value.kind });
  const words = wordsFor(language);
  const page = new Page();
  const left = collect(source.value, { page, words, ...options.value });
  if (!left.ok) return left;
  yield progressAt(steps, 2, { sections: page.counts.sections });
  const { markdown, toc, left_out } = page.render(options.value.heading_level, words.contents);
  const { documented, undocumented, sections, unresolved } = page.counts;
  const told = documented + undocumented;
  const coverage = told === 0 ? 1 : Math.round((1000 * documented) / told) / 1000;
  const quality = assessReference({ ...page.counts, left_out }, language);
  return ok({
    output: {
      language,
      kind: source.value.kind,
      markdown,
      toc: toc.map((entry) => ({ ...entry })),
      statistics: {
        documented,
        undocumented,
        coverage,
        sections,
        sections_left_out: left_out,
        private_left_out: left.value,
        unresolved_references: unresolved,
      },
      missing: page.missing,
    },
    summary: quality.feedback,
    quality,
    next_steps: nextSteps({ undocumented, unresolved: unresolved.length }, language),
    lessons_learned: [],
  });
}

/** Fills the page; gives back how many declarations were left out as private. */
function collect(
  source: Source,
  options: Options & { page: Page; words: ReturnType<typeof wordsFor> },
): Result<number, SkillFailure> {
  const { page, words, title } = options;
  if (source.kind !== "typescript") {
    const document = source.kind === "openapi" ? documentOpenApi : documentSchema;
    document({ root: source.root, page, words }, title);
    return ok(0);
  }
  const read = readDeclarations(source.text);
  if (!read.ok) {
    const { line, column, detail } = read.refusal;
    return refuseInput(
      "invalid_typescript",
      `The TypeScript source can't be read: line ${line}, column ${column}.`,
      detail,
      ["Correct the source at that place, or give its declarations (tsc --declaration)."],
    );
  }
  const left = documentTypeScript(read.value, options);
  if (left < read.value.length) return ok(left);
  return refuseInput(
    "nothing_to_document",
    "The TypeScript source exports no declaration.",
    `${read.value.length} declarations were found, none of them exported.`,
    ["Export what is to be documented, or set configuration.include_private to true."],
  );
}

function nextSteps(
  { undocumented, unresolved }: { undocumented: number; unresolved: number },
  language: Language,
): string[] {
  const isSpanish = language === "es";
  const describe = isSpanish
    ? `Describir los ${undocumented} elementos sin descripción (véase missing).`
    : `Describe the ${undocumented} items without a description (see missing).`;
  const mend = isSpanish
    ? `Corregir las ${unresolved} referencias que no llevan a nada.`
    : `Correct the ${unresolved} references that lead nowhere.`;
  return [...(undocumented === 0 ? [] : [describe]), ...(unresolved === 0 ? [] : [mend])];
}

function readOptions(configuration: JsonObject): Result<Options, SkillFailure> {
  const { title, language, include_private, heading_level } = configuration as {
    [key: string]: JsonValue | undefined;
  };
  if (!LANGUAGES.includes(language))
    return refuseOption("language", 'must be "en", "es" or "auto"');
  if (title !== undefined && !isTitle(title)) {
    return refuseOption("title", "must be a string with text");
  }
  if (include_private !== undefined && typeof include_private !== "boolean") {
    return refuseOption("include_private", "must be true or false");
  }
  const level = heading_level ?? 1;
  if (typeof level !== "number" || ![1, 2, 3, 4].includes(level)) {
    return refuseOption("heading_level", "must be a whole number from 1 to 4");
  }
  return ok({
    title: title?.slice(0, LONGEST_TITLE) ?? null,
    include_private: include_private ?? false,
    heading_level: level,
  });
}

function isTitle(value: JsonValue): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function refuseOption(name: string, rule: string) {
  return refuseInput(
    "invalid_configuration",
    `configuration.${name} ${rule}.`,
    "It is something else.",
    [`Correct configuration.${name} or leave it out.`],
  );
}
