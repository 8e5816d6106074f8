import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { tolerance } from "../../src/services-offenders.ts";

// All tests come from one address; those of abuse bring an isolate of their own (offenders.ts).
tolerance.factorOf = () => 1_000_000;
import { limiting } from "../../src/services-limits.ts";

// Tests make more requests than anybody may, on machines that may be busy; those of limits bring their own (limited.ts).
limiting.scaleOf = () => 1_000_000;
limiting.slow_ms = 10_000;

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
