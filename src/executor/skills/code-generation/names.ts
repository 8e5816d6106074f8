/** Words that no generated language takes as a name of a type, and names that would hide a built-in one. */
const RESERVED = new Set(
  "Any Array ArrayLike Boolean Date Dict Error Float Function Infinity Int Json List Literal Map NaN None Number Object Optional Partial Promise Protocol Proxy Readonly Record Required RegExp Set String Symbol True False TypedDict Union Uint8Array Z".split(
    " ",
  ),
);
/** Python's keywords, and `field`, which a class that has it as an attribute can't call any more. */
const PYTHON_WORDS = new Set(
  "field False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield".split(
    " ",
  ),
);

/** Words of a name: split at what is neither letter nor digit, and where a capital follows a small letter. */
function wordsOf(name: string): string[] {
  const spaced = name.normalize("NFKD").replaceAll(/([a-z\d])([A-Z])/g, "$1 $2");
  return spaced.match(/[A-Za-z\d]+/g) ?? [];
}

/** A name of a type in every target: letters and digits, the first a capital; never empty. */
export function typeName(name: string): string {
  const joined = wordsOf(name.slice(0, 200))
    .map((word) => `${word[0]?.toUpperCase() ?? ""}${word.slice(1)}`)
    .join("")
    .slice(0, 80);
  const lettered = /^[A-Za-z]/.test(joined) ? joined : `Type${joined}`;
  return RESERVED.has(lettered) ? `${lettered}Type` : lettered;
}

/** A name of a Python attribute. */
export function pythonName(name: string): string {
  const joined = wordsOf(name.slice(0, 200))
    .map((word) => word.toLowerCase())
    .join("_")
    .slice(0, 80);
  const lettered = /^[a-z]/.test(joined) ? joined : `field_${joined}`;
  return PYTHON_WORDS.has(lettered) ? `${lettered}_` : lettered;
}

/** Whether Python takes a name as it is. */
export function isPythonName(name: string): boolean {
  // Two leading underscores are mangled inside a class.
  return /^(?!__)[A-Za-z_]\w*$/.test(name) && !PYTHON_WORDS.has(name);
}

/** Gives each name once: a second one gets a number. */
export class Names {
  private readonly taken = new Set<string>();

  take(name: string): string {
    let free = name;
    for (let number = 2; this.taken.has(free.toLowerCase()); number += 1) free = `${name}${number}`;
    this.taken.add(free.toLowerCase());
    return free;
  }
}

/** A text that ends no comment and begins no line of code: one line, of at most 300 characters. */
export function commentText(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replaceAll("*/", "* /")
    .replaceAll('"""', "'''")
    .replaceAll("\\", "/")
    .trim()
    .slice(0, 300);
}
