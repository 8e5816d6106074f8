/**
 * The import table of the design, as rules: which room may know which.
 *
 * test/unit/architecture.test.ts breaks every rule on a copy and expects its name, so a rule added here needs a
 * violation there.
 */
const ROOMS = "access|audit|backup|dispatch|delivery|executor|faults|history|observe";
const CORE = `task|${ROOMS}`;
const FACES = "rest|mcp|a2a";
const TYPE_ONLY = ["type-only"];
/** What of the built-in executor every start of an isolate reads; the rest is in executor.lazy.mjs. */
const EAGER =
  "memory/|router/|models/(absence|door|keyless|model-port|registry/)|skills/(language|text/stems|http/sendable)|input-source\\.ts$|http-door\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    rule(
      "no-cycle",
      "A cycle has no order to be read in.",
      {},
      // A cycle of types alone costs nothing at run time: the objects' class types name each other through Env.
      { circular: true, viaOnly: { dependencyTypesNot: TYPE_ONLY } },
    ),
    rule(
      "lib-imports-nothing",
      "lib/ knows no domain, no package, no platform.",
      { path: "^src/lib/" },
      { pathNot: "^src/lib/" },
    ),
    rule(
      "protocol-imports-zod-and-result",
      "The contract stands on zod and lib/result alone.",
      { path: "^src/protocol/" },
      { pathNot: "^src/(protocol/|lib/result\\.ts$)|(^|/)node_modules/zod/" },
    ),
    rule(
      "db-imports-drizzle",
      "db/ is table definitions.",
      { path: "^src/db/" },
      { pathNot: "^src/db/|(^|/)node_modules/drizzle-orm/" },
    ),
    rule(
      "task-imports-protocol-and-lib",
      "A task knows nothing of who does it, who hears of it or how it is stored in D1.",
      { path: "^src/task/" },
      { path: `^src/(${CORE}|db)/`, pathNot: "^src/task/" },
    ),
    rule(
      "room-imports-room",
      "Rooms meet in services.ts, through ports.",
      { path: `^src/(${ROOMS})/` },
      { path: `^src/(${ROOMS})/`, pathNot: "^src/$1/" },
    ),
    rule(
      "room-imports-task-values",
      "Only the task's own object applies its rules; its types are for all.",
      { path: `^src/(${ROOMS})/` },
      { path: "^src/task/", dependencyTypesNot: TYPE_ONLY },
    ),
    rule(
      "room-imports-face",
      "Faces translate for rooms, never the reverse.",
      { path: `^src/(${CORE})/` },
      { path: `^src/(${FACES}|console)/` },
    ),
    rule(
      "face-imports-room-values",
      "A face gets its rooms handed in; it may know their types.",
      { path: `^src/(${FACES})/` },
      { path: `^src/(${CORE})/`, dependencyTypesNot: TYPE_ONLY },
    ),
    rule(
      "face-imports-face",
      "Each face stands alone; only rest/app mounts the others.",
      { path: `^src/(${FACES})/`, pathNot: "^src/rest/app\\.ts$" },
      { path: `^src/(${FACES}|console)/`, pathNot: "^src/$1/" },
    ),
    rule(
      "face-imports-db",
      "No SQL behind a route's back.",
      { path: `^src/(${FACES})/` },
      { path: "^src/db/" },
    ),
    rule(
      "console-imports-nothing",
      "The console knows the REST face alone, over HTTP.",
      { path: "^src/console/" },
      { pathNot: "^src/console/|(^|/)node_modules/(preact|uplot)/" },
    ),
    rule(
      "start-imports-lazy",
      "What is in executor.lazy.mjs is imported from there, or every start of an isolate would read it too.",
      { path: `^src/(?!executor/|executor\\.lazy\\.ts$)|^src/executor/(${EAGER})` },
      {
        path: `^src/executor/(?!${EAGER})|^src/executor\\.lazy\\.ts$`,
        dependencyTypesNot: TYPE_ONLY,
      },
    ),
    rule(
      "room-imports-assembly",
      "services, queues and index put rooms together; a room that knows them is no room.",
      { path: "^src/[^/]+/" },
      { path: "^src/(services|services-[a-z]+|queues|index|executor\\.lazy)\\.ts$" },
    ),
    rule(
      "room-imports-config-values",
      "Rooms are given what they need; Config is a type to them. Only objects are built by the platform, from Env.",
      { path: "^src/[^/]+/", pathNot: "-object\\.ts$" },
      { path: "^src/config\\.ts$", dependencyTypesNot: TYPE_ONLY },
    ),
    rule(
      "cloudflare-outside-objects",
      "cloudflare:* makes a file untestable in Node: objects and index.ts only.",
      { path: "^src/", pathNot: "-object\\.ts$|^src/index\\.ts$" },
      { path: "^cloudflare:" },
    ),
    rule(
      "drizzle-outside-stores",
      "SQL lives in stores.",
      { path: "^src/", pathNot: "^src/db/|-store\\.ts$" },
      { path: "(^|/)node_modules/drizzle-orm/" },
    ),
    rule(
      "hono-outside-faces",
      "HTTP is a face's business.",
      { path: "^src/", pathNot: `^src/(${FACES})/` },
      { path: "(^|/)node_modules/(hono|@hono)/" },
    ),
    rule(
      "sdk-outside-its-face",
      "The MCP and A2A SDKs stay behind their faces.",
      { path: "^src/", pathNot: "^src/(mcp|a2a)/" },
      { path: "(^|/)node_modules/(@modelcontextprotocol|@a2a-js)/" },
    ),
    rule(
      "ai-sdk-outside-models",
      "Models are asked through the executor's port; nothing of an SDK crosses it.",
      { path: "^src/", pathNot: "^src/executor/models/" },
      { path: "(^|/)node_modules/(ai|@ai-sdk|workers-ai-provider)/" },
    ),
    rule(
      "unresolvable",
      "An import that leads nowhere is judged by no rule.",
      { path: "^src/" },
      { couldNotResolve: true, pathNot: "^(cloudflare|node):" },
    ),
  ],
  options: {
    // Sees `import type`, and tells it from a value.
    tsPreCompilationDeps: "specify",
    doNotFollow: { path: "node_modules" },
    // What is built from the source, or only names it, is judged there.
    exclude: { path: "^src/(env\\.d\\.ts|executor\\.lazy\\.(d\\.mts|mjs))$" },
    enhancedResolveOptions: {
      extensions: [".ts", ".tsx"],
      exportsFields: ["exports"],
      conditionNames: ["types", "import", "default"],
    },
  },
};

function rule(name, comment, from, to) {
  return { name, comment, severity: "error", from, to };
}
