/*
 * In place of zod/v4 in the bundle (wrangler.toml, [alias]): of the same modules of the same zod what the AI SDK uses.
 * They are named by their paths because the package exports none of them. `import { z } from "zod/v4"`, as
 * @ai-sdk/openai-compatible has it, takes the whole namespace, and with it the error messages of some fifty languages:
 * 60 KiB. test/unit/deployment.test.ts holds this list against what the packages use.
 */
import {
  any,
  array,
  boolean,
  enum as enum_,
  literal,
  looseObject,
  number,
  object,
  record,
  string,
  union,
  unknown,
} from "../node_modules/zod/v4/classic/schemas.js";

export const z = {
  any,
  array,
  boolean,
  enum: enum_,
  literal,
  looseObject,
  number,
  object,
  record,
  string,
  union,
  unknown,
};

export { safeParseAsync } from "../node_modules/zod/v4/classic/parse.js";
export {
  array,
  boolean,
  custom,
  discriminatedUnion,
  instanceof,
  lazy,
  literal,
  null,
  number,
  object,
  record,
  string,
  union,
  unknown,
} from "../node_modules/zod/v4/classic/schemas.js";
