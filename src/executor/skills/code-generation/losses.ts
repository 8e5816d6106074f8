import { escapePointer } from "../formats/json-value.ts";
import { partsOf, type Model, type Shape } from "./shape.ts";

const MOST_WARNINGS = 200;

/**
 * Adds to the warnings of a model what the types of a target can't say, each with the pointer of its definition or field.
 *
 * Bounds, patterns and formats are no types: they are not told.
 *
 * @param lossOf what a shape loses in the target, null when nothing; inside what is lost nothing more is told
 */
export function warnOfLosses(
  { definitions, warnings }: Model,
  lossOf: (shape: Shape) => string | null,
): void {
  const warn = (pointer: string, detail: string): void => {
    if (warnings.length < MOST_WARNINGS) warnings.push({ pointer, detail });
  };
  const tell = (shape: Shape, pointer: string): void => {
    const detail = lossOf(shape);
    if (detail === null) for (const part of partsOf(shape)) tell(part, pointer);
    else warn(pointer, detail);
  };
  for (const { shape, pointer } of definitions) {
    if (shape.kind !== "object") {
      tell(shape, pointer);
      continue;
    }
    for (const field of shape.fields) {
      tell(field.shape, `${pointer}/properties/${escapePointer(field.name)}`);
    }
    if (shape.rest !== null && shape.rest.kind !== "any") {
      warn(`${pointer}/additionalProperties`, "Fields beside the named ones are not carried over.");
    }
  }
}
