import { canonicalJson } from "../src/lib/ports.ts";

/*
 * A strict reader of the Prometheus text format, version 0.0.4, after its specification
 * (prometheus.io/docs/instrumenting/exposition_formats): what the format forbids, or what Prometheus would take but a
 * reader could misunderstand, is an error that names the line.
 */

/** One line of a metric: its own name (with _bucket, _sum or _count), labels and value. */
interface ReadSample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** All lines of one metric. */
export interface Family {
  name: string;
  type: string;
  help: string;
  samples: ReadSample[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const TYPES = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);
/** What Go's ParseFloat takes of what anybody would write. */
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;

class Reader {
  readonly families = new Map<string, Family>();
  readonly #seen = new Set<string>();
  #current: Family | null = null;
  #line = 0;

  #fail(why: string): never {
    throw new Error(`line ${this.#line}: ${why}`);
  }

  read(text: string): void {
    if (!text.endsWith("\n")) throw new Error("the last line has to end with a line feed");
    for (const line of text.slice(0, -1).split("\n")) {
      this.#line += 1;
      if (line.startsWith("# HELP ")) this.#help(line.slice(7));
      else if (line.startsWith("# TYPE ")) this.#type(line.slice(7));
      else if (line.startsWith("#")) continue;
      else this.#sample(line);
    }
    for (const family of this.families.values()) this.#whole(family);
  }

  #help(rest: string): void {
    const [name = "", ...words] = rest.split(" ");
    if (!METRIC_NAME.test(name)) this.#fail(`${name} is no name`);
    if (this.families.has(name)) this.#fail(`a second HELP, or one behind samples, of ${name}`);
    const help = words.join(" ");
    if (help.replaceAll(/\\[\\n]/g, "").includes("\\"))
      this.#fail("a backslash that escapes nothing");
    this.#current = { name, type: "", help, samples: [] };
    this.families.set(name, this.#current);
  }

  #type(rest: string): void {
    const [name, type = "", ...more] = rest.split(" ");
    if (this.#current === null || this.#current.name !== name) {
      this.#fail(`TYPE of ${name} without its HELP before`);
    }
    if (this.#current.type !== "" || this.#current.samples.length > 0) {
      this.#fail("a second TYPE, or one behind samples");
    }
    if (!TYPES.has(type) || more.length > 0) this.#fail(`${type} is no type`);
    this.#current.type = type;
  }

  #sample(line: string): void {
    const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)( -?\d+)?$/.exec(line);
    if (found === null) this.#fail(`not a sample: ${line}`);
    const [, name = "", braces = "", value = ""] = found;
    if (!NUMBER.test(value)) this.#fail(`${value} is no number`);
    const labels = this.#labels(braces);
    const family = this.#current;
    if (family === null || family.type === "" || !this.#belongs(name, labels, family)) {
      this.#fail(`${name} stands apart from its HELP and TYPE`);
    }
    const series = canonicalJson([name, labels]);
    if (this.#seen.has(series)) this.#fail(`a second value of ${series}`);
    this.#seen.add(series);
    family.samples.push({ name, labels, value: Number(value.replace("Inf", "Infinity")) });
  }

  #belongs(name: string, labels: Record<string, string>, { name: base, type }: Family): boolean {
    if (type === "histogram") {
      const isBucket = name === `${base}_bucket`;
      if (isBucket !== "le" in labels) this.#fail("le belongs to buckets, and to each of them");
      return isBucket || name === `${base}_sum` || name === `${base}_count`;
    }
    if (type === "summary") {
      return name === base
        ? "quantile" in labels
        : name === `${base}_sum` || name === `${base}_count`;
    }
    return name === base;
  }

  #labels(braces: string): Record<string, string> {
    const labels: Record<string, string> = {};
    if (braces === "") return labels;
    let rest = braces.slice(1, -1);
    while (rest !== "") {
      const found = /^([^=]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/.exec(rest);
      if (found === null) this.#fail(`no labels: ${rest}`);
      const [all, name = "", text = "", comma] = found;
      if (!LABEL_NAME.test(name) || name.startsWith("__")) this.#fail(`${name} is no label`);
      if (name in labels) this.#fail(`the label ${name} twice`);
      labels[name] = text.replaceAll(/\\(.)/g, (_, sign) => (sign === "n" ? "\n" : String(sign)));
      rest = rest.slice(all.length);
      if (rest === "" && comma === ",") this.#fail("a comma behind the last label");
    }
    return labels;
  }

  /** What only the whole of a metric shows. */
  #whole({ name, type, samples }: Family): void {
    if (type === "") throw new Error(`${name} has no TYPE`);
    if (samples.length === 0) throw new Error(`${name} has no sample`);
    if (type === "counter" && samples.some(({ value }) => !(value >= 0))) {
      throw new Error(`${name} counts below zero`);
    }
    if (type !== "histogram") return;
    const groups = Map.groupBy(samples, ({ labels }) => canonicalJson({ ...labels, le: "" }));
    for (const group of groups.values()) checkHistogram(name, group);
  }
}

function checkHistogram(name: string, group: readonly ReadSample[]): void {
  const of = (suffix: string) => group.filter((sample) => sample.name === name + suffix);
  const buckets = of("_bucket");
  const bounds = buckets.map(({ labels }) => Number(labels["le"]?.replace("Inf", "Infinity")));
  const isAscending = (values: readonly number[], isStrict: boolean) =>
    values.every((value, index) => {
      const before = values[index - 1] ?? -Infinity;
      return isStrict ? value > before : value >= before;
    });
  if (!isAscending(bounds, true)) throw new Error(`${name} has bounds out of order`);
  if (bounds.at(-1) !== Infinity) throw new Error(`${name} has no bucket +Inf`);
  const counts = buckets.map(({ value }) => value);
  if (!isAscending(counts, false)) throw new Error(`${name} has a bucket below the one before`);
  const [count] = of("_count");
  if (of("_sum").length !== 1 || count === undefined) throw new Error(`${name} lacks sum or count`);
  if (count.value !== counts.at(-1)) throw new Error(`${name} counts other than its +Inf`);
}

/**
 * All metrics of a text, by name.
 *
 * @throws Error that names what breaks the format
 */
export function readPrometheus(text: string): Map<string, Family> {
  const reader = new Reader();
  reader.read(text);
  return reader.families;
}

/** The value of one series; undefined where it is not there. */
export function valueIn(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const base = name.replace(/_(bucket|sum|count)$/, "");
  const wanted = canonicalJson(labels);
  const samples = (families.get(name) ?? families.get(base))?.samples ?? [];
  return samples.find((sample) => sample.name === name && canonicalJson(sample.labels) === wanted)
    ?.value;
}
