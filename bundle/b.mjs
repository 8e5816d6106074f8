import { array, boolean, enum as enum_, literal, looseObject, number, object, string, any, union, record, unknown,nullable } from "zod";
export const z = { array, boolean, enum: enum_, literal, looseObject, number, object, string, any, union, record, unknown };
export * from "../node_modules/zod/v4/classic/schemas.js";
export { safeParseAsync } from "../node_modules/zod/v4/classic/parse.js";
