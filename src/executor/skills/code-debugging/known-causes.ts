/** A cause that an error's wording gives away. */
export interface KnownCause {
  class: string;
  /** What happened, in one sentence. */
  explanation: string;
  suggestions: string[];
}

type Row = readonly [pattern: RegExp, kind: string, explanation: string, ...suggestions: string[]];

/**
 * Frequent errors by the wording of their runtimes ("Type: message"), the more special first.
 *
 * Sources: V8's message templates, CPython's exceptions, the JDK's helpful NullPointerExceptions (JEP 358), Go's runtime
 * errors, Rust's panic messages, errno(3).
 */
const ROWS: readonly Row[] = [
  [
    /Cannot read propert|(?:undefined|null) is not an object|is (?:undefined|null)$|Cannot set propert|NullPointerException|NullReferenceException|'NoneType' object|nil pointer|nil map|has not been initialized|called `Option::unwrap\(\)` on a `None`/i,
    "missing_value",
    "A value is used that is not there (null, undefined, None, nil).",
    "Find where the value should have come from: a missing field, a failed look-up, a call before initialisation.",
    "Check for its absence at the boundary where it enters.",
  ],
  [
    /is not a function|is not iterable|is not a constructor|object is not callable|not subscriptable|ClassCastException|InvalidCastException|cannot be cast|unsupported operand|TypeError: can(?:'t|not)|interface conversion|must be str|can only concatenate/i,
    "wrong_type",
    "A value has another type than the code expects.",
    "Print the value and its type at the frame above; look at what produced it.",
    "Convert or validate it where it enters.",
  ],
  [
    /is not defined|NameError|UnboundLocalError|Cannot access '.+' before init|NoSuchMethodError|NoSuchFieldError|has no attribute|NoMethodError/i,
    "unknown_name",
    "A name is used that does not exist there.",
    "Check spelling, scope and import; with a library, whether its version has it.",
  ],
  [
    /ModuleNotFoundError|ImportError|No module named|Cannot find (?:module|package)|ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|ClassNotFoundException|NoClassDefFoundError|Could not load file or assembly/i,
    "missing_module",
    "A module or class is not installed, or not where the program looks.",
    "Install the dependency in the environment that runs the program, from the lock file.",
    "Check the spelling and the path of the import.",
  ],
  [
    /ECONNREFUSED|Connection ?refused|ConnectionRefused|actively refused/i,
    "connection_refused",
    "Nothing listens at the address.",
    "Check that the service runs and listens on this host and port; inside a container, localhost is the container itself.",
  ],
  [
    /ENOTFOUND|EAI_AGAIN|getaddrinfo|UnknownHostException|Name or service not known|no such host/i,
    "unknown_host",
    "The host's name can't be resolved.",
    "Check the spelling of the host, and DNS inside the network where the program runs.",
  ],
  [
    /ECONNRESET|EPIPE|Connection reset|Broken pipe|socket hang up/i,
    "connection_lost",
    "The other side closed the connection.",
    "Look at the log of the other side at this time; retry what is safe to repeat.",
  ],
  [
    /ETIMEDOUT|TimeoutError|TimeoutException|timed? ?out|deadline exceeded/i,
    "timeout",
    "Something did not answer in time.",
    "Find out whether the other side is slow or unreachable; then set the limit, or retry with a pause.",
  ],
  [
    /EADDRINUSE|Address already in use|bind: address/i,
    "port_in_use",
    "Another process listens on the port.",
    "Stop the other process (ss -ltnp), or choose another port.",
  ],
  [
    /EACCES|EPERM|PermissionError|Permission denied|AccessDenied|UnauthorizedAccess/i,
    "permission_denied",
    "The process may not do this.",
    "Check owner and mode of the file, and the user that runs the program.",
  ],
  [
    /ENOENT|FileNotFound|No such file|NoSuchFile|DirectoryNotFound/i,
    "file_not_found",
    "A file or directory is not where the program looks.",
    "Print the absolute path; relative paths start at the working directory, not at the program.",
  ],
  [
    /ENOSPC|No space left/i,
    "disk_full",
    "The disk is full.",
    "Free space, or write elsewhere; look at logs and temporary files first.",
  ],
  [
    /EMFILE|Too many open files/i,
    "too_many_files",
    "The process has as many files open as it may.",
    "Close what is opened on every path; then raise ulimit -n.",
  ],
  [
    /heap out of memory|OutOfMemory|MemoryError|Cannot allocate memory|oom-kill/i,
    "out_of_memory",
    "The process used all memory that it may.",
    "Look for what grows: a cache without bound, a whole file in memory, a loop that collects.",
    "Process in pieces; raise the limit only with the growth understood.",
  ],
  [
    /Maximum call stack|StackOverflow|RecursionError|maximum recursion|stack overflow|goroutine stack exceeds/i,
    "endless_recursion",
    "A function calls itself without end.",
    "Look at the frames that repeat: the condition that ends the recursion is missing or never true.",
  ],
  [
    /KeyError|NoSuchElementException|KeyNotFound|called `Result::unwrap\(\)`/i,
    "missing_key",
    "Something was looked up that is not there.",
    "Compare the name with what the data holds; use a look-up that can say no.",
  ],
  [
    /IndexError|IndexOutOfBounds|index out of (?:range|bounds)|IndexOutOfRange|RangeError: Invalid array length|ArgumentOutOfRange|slice bounds/i,
    "index_out_of_range",
    "A position beyond the end of a list is used.",
    "Check the length first; look for an off-by-one and for an empty list.",
  ],
  [
    /ConcurrentModification|dictionary changed size|concurrent map|data race/i,
    "concurrent_change",
    "A collection is changed while it is read.",
    "Iterate over a copy, or guard it by a lock.",
  ],
  [
    /all goroutines are asleep|deadlock/i,
    "deadlock",
    "All that could go on waits for each other.",
    "Look for a channel without sender or receiver, and for locks taken in different orders.",
  ],
  [
    /JSONDecodeError|Unexpected token|in JSON at|Unexpected end of JSON|JsonParseException|JsonReaderException/i,
    "invalid_json",
    "A text is no JSON.",
    "Print the beginning of the text: often it is an HTML error page or empty. code_debugging with input_data.text finds the place.",
  ],
  [
    /SyntaxError|IndentationError|TabError/i,
    "syntax",
    "The program can't be read.",
    "Look at the named line and the one before: a bracket, quote or colon is missing.",
  ],
  [
    /ZeroDivision|divide by zero|DivideByZero|division by zero|\/ by zero/i,
    "division_by_zero",
    "A number is divided by zero.",
    "Say what the result is when there is nothing to divide by.",
  ],
  [
    /UnicodeDecodeError|UnicodeEncodeError|invalid utf-?8|MalformedInput|codec can't/i,
    "wrong_encoding",
    "Bytes are read in another encoding than they were written in.",
    "Name the encoding when opening; look at how the file was made.",
  ],
  [
    /invalid literal for int|NumberFormatException|ParseIntError|strconv\.|FormatException|could not convert string/i,
    "not_a_number",
    "A text is no number.",
    "Print it with its quotes: blanks, separators, an empty text.",
  ],
  [
    /CERT_|certificate|SSLError|SSLHandshake|x509/i,
    "tls",
    "The certificate of the other side is not accepted.",
    "Check its name, dates and chain, and the clock of this machine.",
  ],
  [
    /AssertionError|assertion.*failed|AssertionFailed/i,
    "assertion",
    "A condition that the program relies on is not true.",
    "Compare the two values that the message shows; the change that made them differ is the cause.",
  ],
];

/** The known cause that an error's type and message show, or null. */
export function knownCause(type: string, message: string): KnownCause | null {
  const said = `${type}: ${message}`.slice(0, 2_000);
  const row = ROWS.find(([pattern]) => pattern.test(said));
  if (row === undefined) return null;
  const [, kind, explanation, ...suggestions] = row;
  return { class: kind, explanation, suggestions };
}
