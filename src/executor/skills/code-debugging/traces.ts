import { frameOn, isOwn, type Frame, type TraceLanguage } from "./frames.ts";

/** What went wrong, as the runtime words it. */
export type Thrown = { type: string; message: string };

export interface Trace extends Thrown {
  language: TraceLanguage;
  /** Innermost call first, whatever order the text has. */
  frames: Frame[];
  /** What led to it, the nearest first; the last is the root. */
  causes: (Thrown & { frames: Frame[] })[];
  /** Line of the text where it begins, from 1. */
  line: number;
}

/** No frame or message that says something is longer; keeps every pattern fast. */
const LONGEST_LINE = 1_000;
const MAX_FRAMES = 200;
const MAX_TRACES = 2_000;

const ERROR_NAME =
  /(?:^|[\s\])}>:"])((?:[A-Za-z_$][\w$]*\.){0,12}[A-Z][\w$]*(?:Error|Exception|Throwable|Fault|Interrupt|Exit)|Error|Exception)(?: \[[A-Z_]+\])?(?::\s?(.*)|\s*$)/;
const RUST_HEAD = /^thread '[^']*' (?:\(\d+\) )?panicked at (?:'(.*)', )?(\S+?):(\d+):(\d+):?$/;
const CAUSE =
  /^\s*(?:Caused by|---> ?|\[cause\]|\[errors\]|Suppressed)(?:: )?\s*([\w.$]+)(?: \[[A-Z_]+\])?(?::\s?(.*?))?(?:\s*\{)?$/;
const PYTHON_CHAIN =
  /^(?:The above exception was the direct cause|During handling of the above exception)/;
const BETWEEN =
  /^\s*(?:\.\.\. \d+ (?:more|lines matching|common frames)|--- End of|\^+\s*$|~|note:|stack backtrace:|Stack:)/;

/** The error that a line names, or null. */
export function thrownOn(line: string): Thrown | null {
  const found = ERROR_NAME.exec(line.slice(0, LONGEST_LINE));
  return found === null ? null : { type: found[1] ?? "Error", message: (found[2] ?? "").trim() };
}

/**
 * The stack traces in a text, in the order of their appearance: JavaScript (V8, Firefox), Python, Java and Kotlin, Go,
 * Rust, C#. Any text is allowed around them; at most 2,000 traces of 200 frames are kept.
 */
export function parseTraces(text: string): Trace[] {
  const parser = new Parser();
  let number = 0;
  for (const line of text.split("\n")) {
    number += 1;
    parser.read(line.slice(0, LONGEST_LINE).trimEnd(), number);
  }
  return parser.finish();
}

class Parser {
  private readonly traces: Trace[] = [];
  private open: Trace | null = null;
  private head: (Thrown & { line: number }) | null = null;
  /** Function of a Go or Rust frame, which stands on the line before its place. */
  private called: string | null = null;
  /** In Python the error stands after the frames. */
  private isPython = false;
  private chained: Trace | null = null;
  private previous: Trace | null = null;
  private isMessageDue = false;
  /** In C# the frames of the outer error follow those of the inner. */
  private isOuter = false;

  read(line: string, number: number): void {
    if (
      line.startsWith("Traceback (most recent call last)") ||
      line.endsWith(" Traceback (most recent call last):")
    ) {
      this.begin({ language: "python", type: "", message: "", line: number });
      this.isPython = true;
    } else if (!this.panic(line, number) && !this.frame(line, number) && !this.cause(line)) {
      this.other(line, number);
    }
  }

  finish(): Trace[] {
    this.end();
    return this.traces;
  }

  private begin(start: Thrown & { language: TraceLanguage; line: number }): void {
    this.end();
    this.open = { ...start, frames: [], causes: [] };
  }

  private end(): void {
    const trace = this.open;
    this.open = null;
    this.isPython = false;
    this.isMessageDue = false;
    this.isOuter = false;
    if (trace === null || this.traces.length >= MAX_TRACES) return;
    if (trace.language === "python") trace.frames.reverse();
    if (this.chained !== null && trace.language === "python") {
      const { type, message, frames, causes, line } = this.chained;
      trace.causes.push({ type, message, frames }, ...causes);
      trace.line = line;
      this.traces.pop();
    }
    this.chained = null;
    this.previous = trace;
    this.traces.push(trace);
  }

  private panic(line: string, number: number): boolean {
    const go = /^(panic|fatal error): (.*?)(?: \[recovered\].*)?$/.exec(line);
    if (go !== null) {
      const [, kind = "panic", message = ""] = go;
      const type = message.startsWith("runtime error: ") ? "runtime error" : kind;
      this.begin({
        language: "go",
        type,
        message: message.replace(/^runtime error: /, ""),
        line: number,
      });
      return true;
    }
    const rust = RUST_HEAD.exec(line);
    if (rust === null) return false;
    const [, message, file = "", at, column] = rust;
    this.begin({ language: "rust", type: "panic", message: message ?? "", line: number });
    const place = { function: null, file, line: Number(at), column: Number(column) };
    this.add({ ...place, own: isOwn("rust", place) });
    this.isMessageDue = message === undefined;
    return true;
  }

  private frame(line: string, number: number): boolean {
    const found = frameOn(line);
    if (found === null) return false;
    const { language, frame } = found;
    if (this.open === null || (this.open.language !== language && this.open.frames.length > 0)) {
      // Python's SyntaxError has a frame and no heading.
      const { type, message, line: at } = this.head ?? { type: "", message: "", line: number };
      this.begin({ language, type, message, line: at });
      this.isPython = language === "python";
    } else if (this.open.frames.length === 0) this.open.language = language;
    const named = this.called === null ? frame : { ...frame, function: this.called };
    this.called = null;
    this.add({ ...named, own: isOwn(language, named) });
    return true;
  }

  private add(frame: Frame): void {
    const cause = this.isOuter ? undefined : this.open?.causes.at(-1);
    const frames = cause?.frames ?? this.open?.frames ?? [];
    const last = frames.at(-1);
    const isSame = last?.file === frame.file && last.line === frame.line && last.function === null;
    if (isSame) frames.pop();
    if (frames.length < MAX_FRAMES) frames.push(frame);
  }

  private cause(line: string): boolean {
    if (PYTHON_CHAIN.test(line)) {
      this.end();
      this.chained = this.previous;
      return true;
    }
    const found = this.open === null && this.head === null ? null : CAUSE.exec(line);
    if (found === null) return false;
    if (this.open === null && this.head !== null) this.begin({ language: "csharp", ...this.head });
    this.open?.causes.push({ type: found[1] ?? "", message: found[2] ?? "", frames: [] });
    return true;
  }

  private other(line: string, number: number): void {
    const trace = this.open;
    if (/^\s*--- End of inner/.test(line)) this.isOuter = true;
    if (trace !== null && (this.belongs(trace, line) || BETWEEN.test(line))) return;
    if (trace !== null && trace.causes.at(-1)?.frames.length !== 0) this.end();
    const thrown = thrownOn(line);
    if (thrown !== null) this.head = { ...thrown, line: number };
    else if (line !== "" && this.open === null && !/^\s/.test(line))
      this.head = this.continued(line);
  }

  /** A message may go on for a few lines before its frames. */
  private continued(line: string): Parser["head"] {
    if (this.head === null || this.head.message.length > LONGEST_LINE) return null;
    return { ...this.head, message: `${this.head.message}\n${line}` };
  }

  /** Whether a line that is no frame is part of an open trace. */
  private belongs(trace: Trace, line: string): boolean {
    if (this.isMessageDue && line !== "") {
      trace.message = line;
      this.isMessageDue = false;
      return true;
    }
    if (trace.language === "rust" || trace.language === "go") return this.isCallOf(trace, line);
    if (!this.isPython) return false;
    if (/^\s|^$/.test(line)) return true;
    const [, type = "", message = ""] = /^([A-Za-z_][\w.]*)(?:: ?(.*))?$/.exec(line) ?? [];
    Object.assign(trace, { type, message });
    this.end();
    return true;
  }

  private isCallOf(trace: Trace, line: string): boolean {
    const rust = /^\s+\d+:\s+(?:0x[\da-f]+ - )?(.+)$/.exec(line);
    const go = /^(?:created by )?([\w./*()[\]{}·-]+?)(?:\(.*\)| in goroutine \d+)?$/.exec(line);
    const called = trace.language === "rust" ? rust?.[1] : go?.[1];
    if (/^goroutine \d+ /.test(line)) {
      // The first one is the one that failed; the others only stood around.
      if (trace.frames.length > 0) this.end();
      return true;
    }
    if (line === "") return true;
    if (/^\s*\[signal /.test(line)) return true;
    if (called === undefined) return false;
    this.called = called;
    return true;
  }
}
