import { ANY, refsOf, type Definition, type Model } from "./shape.ts";

/**
 * Definitions in an order in which each stands after what it refers to, as far as recursion lets it, and marked where they
 * lead back to themselves. One that is nothing but itself becomes anything, with a warning.
 */
export function orderModel(definitions: Definition[], warnings: Model["warnings"]): Model {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  for (const definition of definitions) {
    if (!reaches(definition, byName, true)) continue;
    definition.shape = ANY;
    const detail = `${definition.name} is nothing but itself: anything is taken.`;
    warnings.push({ pointer: "", detail });
  }
  for (const definition of definitions)
    definition.is_recursive = reaches(definition, byName, false);
  const ordered = new Set<Definition>();
  const open = new Set<Definition>();
  const place = (definition: Definition): void => {
    if (ordered.has(definition) || open.has(definition)) return;
    open.add(definition);
    for (const name of refsOf(definition.shape)) {
      const next = byName.get(name);
      if (next !== undefined) place(next);
    }
    ordered.add(definition);
  };
  for (const definition of definitions) place(definition);
  return { definitions: [...ordered], warnings };
}

/** Whether a definition leads to itself; through unions and intersections alone, when `isBare`. */
function reaches(
  from: Definition,
  byName: ReadonlyMap<string, Definition>,
  isBare: boolean,
): boolean {
  const seen = new Set<string>();
  const open = refsOf(from.shape, isBare);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === from.name) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    const next = byName.get(name);
    if (next !== undefined) open.push(...refsOf(next.shape, isBare));
  }
  return false;
}
