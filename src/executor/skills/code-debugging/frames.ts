export type TraceLanguage = "javascript" | "python" | "java" | "go" | "rust" | "csharp";

/** One call; a type alias, so that it is JSON by its form. Line and column from 1. */
export type Frame = {
  function: string | null;
  file: string | null;
  line: number | null;
  column: number | null;
  /** In the user's own code: in no library, no runtime. */
  own: boolean;
};

interface FrameForm {
  language: TraceLanguage;
  pattern: RegExp;
}

/**
 * How a frame looks, in the order of trial: the first that fits wins. Bounded by the cut of long lines, and none repeats
 * inside a repetition.
 */
const FORMS: readonly FrameForm[] = [
  {
    language: "rust",
    pattern: /^\s+at (?<file>(?:\.{0,2}\/|[A-Z]:\\)\S+?\.rs):(?<line>\d+)(?::(?<column>\d+))?$/,
  },
  { language: "csharp", pattern: /^\s+at (?<fn>[^\s(]+\(.*\)) in (?<file>.+):line (?<line>\d+)$/ },
  {
    language: "java",
    pattern:
      /^\s+at (?<fn>[\w$./@-]+\.(?:[\w$-]+|<init>|<clinit>))\((?:(?<file>[\w$.-]+\.(?:java|kt|scala|groovy))(?::(?<line>\d+))?|Native Method|Unknown Source|<generated>)\)/,
  },
  {
    language: "javascript",
    pattern:
      /^\s+at (?:async )?(?:(?<fn>[^(]+?) \()?(?:file:\/\/)?(?<file>[^()\s][^()]*?):(?<line>\d+):(?<column>\d+)\)?(?:,.*|\s\{)?$/,
  },
  {
    language: "javascript",
    pattern: /^\s+at (?:async )?(?<fn>[^(]+?) \((?:<anonymous>|native|index \d+)\)$/,
  },
  { language: "csharp", pattern: /^\s+at (?<fn>[A-Za-z_][\w.`<>+[\],]*\(.*\))$/ },
  {
    language: "javascript",
    pattern:
      /^(?<fn>[\w$.<>/]*)@(?<file>(?:https?|file|webpack[\w-]*):\S+?):(?<line>\d+):(?<column>\d+)$/,
  },
  {
    language: "python",
    pattern: /^\s+File "(?<file>[^"]+)", line (?<line>\d+)(?:, in (?<fn>.+))?$/,
  },
  { language: "go", pattern: /^\t(?<file>\S+\.(?:go|s)):(?<line>\d+)(?: \+0x[\da-f]+)?$/ },
];

/** Functions and files of libraries and runtimes. */
const FOREIGN: Readonly<Record<TraceLanguage, RegExp>> = {
  javascript:
    /node_modules|^node:|^internal\/|^native|^<anonymous>$|^webpack\/|^(?:Array|Object|Promise|JSON)\.\w+$/,
  python:
    /site-packages|dist-packages|\/lib\/python\d|\\lib\\(?!site)|^<frozen|^<string>|\/pyenv\/versions\//i,
  java: /^(?:[\w.@-]*\/)?(?:java|javax|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|jakarta|org\.(?:springframework|apache|hibernate|junit|gradle|eclipse|jboss)|com\.(?:fasterxml|zaxxer|mysql|google)|io\.(?:netty|micrometer)|reactor|org\.postgresql)\./,
  go: /\/(?:usr\/local\/go|go\/pkg\/mod|libexec)\/|\/go\/src\/runtime|^(?:runtime|testing|net\/http|syscall|panic)\b/,
  rust: /\/rustc\/|\.cargo\/registry|\/library\/(?:std|core|alloc)|^(?:std|core|alloc|rust_begin_unwind|rust_panic)\b/,
  csharp: /^(?:System|Microsoft|Newtonsoft|NUnit|Xunit)\./,
};

/** The frame on a line of a stack trace, with its language, or null. */
export function frameOn(
  line: string,
): { language: TraceLanguage; frame: Omit<Frame, "own"> } | null {
  for (const { language, pattern } of FORMS) {
    const groups = pattern.exec(line)?.groups;
    if (groups === undefined) continue;
    const { fn, file, line: number, column } = groups;
    const frame = {
      function: fn?.trim() ?? null,
      file: file ?? null,
      line: number === undefined ? null : Number(number),
      column: column === undefined ? null : Number(column),
    };
    return { language, frame };
  }
  return null;
}

/** Whether a frame is in the user's own code. */
export function isOwn(
  language: TraceLanguage,
  { function: fn, file }: Pick<Frame, "function" | "file">,
): boolean {
  if (file === null && fn === null) return false;
  const byFunction = language === "java" || language === "csharp";
  if (byFunction) return !FOREIGN[language].test(fn ?? "");
  return file !== null && !FOREIGN[language].test(file) && !FOREIGN[language].test(fn ?? "");
}
