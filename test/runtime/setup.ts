import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { tolerance } from "../../src/services-offenders.ts";

// All tests come from one address; those of abuse bring an isolate of their own (offenders.ts).
tolerance.factorOf = () => 1_000_000;

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
