import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { limiting } from "../../src/services-limits.ts";
import { metering } from "../../src/services-meter.ts";
import { tolerance } from "../../src/services-offenders.ts";
import { recording } from "../../src/services-validations.ts";

// All tests come from one address, and make more requests than anybody may on machines that may be busy; those of abuse
// and of limits bring isolates of their own (offenders.ts, limited.ts).
tolerance.factorOf = () => 1_000_000;
limiting.scaleOf = () => 1_000_000;
limiting.slow_ms = 10_000;
// Some wait for all that goes on after an answer.
recording.pause = async () => {};
// Nor would they want an alarm of the figures among their own.
metering.isTelling = false;

await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
