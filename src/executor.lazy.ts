/*
 * What the Worker reads only when a task of the built-in executor or a model is first asked for, and not at every start
 * of an isolate: scripts/build-lazy.mjs makes executor.lazy.mjs of it, a module beside the entry (wrangler.toml).
 *
 * It has its own copy of every module that it shares with the entry. So what is remembered in a module, and what is
 * compared by identity (a class, a schema), is not the same on both sides: data and functions alone pass between them.
 */
export { brief } from "./executor/assisted/brief.ts";
export { consumeExecutions } from "./executor/execution-consumer.ts";
export { createHttpDoor } from "./executor/http-door.ts";
export { createAsk } from "./executor/models/provider/ask.ts";
export { ANSWER_LIMITS } from "./executor/models/provider/watched-fetch.ts";
export { workersAi } from "./executor/models/provider/workers-ai.ts";
export { assess } from "./executor/quality/assess.ts";
