/**
 * The key in what somebody pastes: often the whole line of .dev.vars, `BATUTA_ADMIN_KEY="bk_…"`, or a header with
 * `Bearer`. What is neither is taken as it stands, without the blanks around it.
 */
export function keyIn(pasted: string): string {
  const text = pasted
    .trim()
    .replace(/^(?:export\s+)?[A-Z][A-Z0-9_]*\s*=\s*/, "")
    .replace(/^(?:Authorization:\s*)?Bearer\s+/i, "");
  const [, , inside = text] = /^(["'])(.*)\1$/s.exec(text) ?? [];
  return inside.trim();
}
