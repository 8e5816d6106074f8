import * as z from "../node_modules/zod/v4/classic/schemas.js";
export { z };
export * from "../node_modules/zod/v4/classic/schemas.js";
export { safeParseAsync } from "../node_modules/zod/v4/classic/parse.js";
