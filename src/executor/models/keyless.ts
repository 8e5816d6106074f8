/** What stands where a key stood. */
const MARK = "[api_key]";

/**
 * Keys of models that ask for none are words such as "ollama" or "EMPTY", which a model's own text may have for other
 * reasons; those of providers are longer. Characters.
 */
const SHORTEST_SECRET = 12;

/** A text without a key; to be applied before a text is cut, changed or quoted, or half a key would be left. */
export type Keyless = (text: string) => string;

/** The key as it stands in plain text, in JSON, and in the JSON of servers that escape slashes. */
function formsOf(api_key: string): string[] {
  const quoted = JSON.stringify(api_key).slice(1, -1);
  return [...new Set([api_key, quoted, quoted.replaceAll("/", String.raw`\/`)])];
}

/** A pattern that finds just this text. */
function literal(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}

/** Takes a key out of what a provider says, whole and in any case of its letters: servers lower the names of headers. */
export function keyless(api_key: string | null): Keyless {
  if (!api_key) return (text) => text;
  const forms = formsOf(api_key).toSorted((one, other) => other.length - one.length);
  const pattern = new RegExp(forms.map(literal).join("|"), "gi");
  return (text) => text.replaceAll(pattern, MARK);
}

/** The same for what a model says, which is the task's result: only of a key that no text has by chance. */
export function keylessAnswer(api_key: string | null): Keyless {
  return keyless(api_key !== null && api_key.length >= SHORTEST_SECRET ? api_key : null);
}
