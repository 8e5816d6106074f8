import { env as startingEnv } from "cloudflare:workers";

import { LimitsObject } from "./access/limits-object.ts";
import { OffenderObject } from "./access/offender-object.ts";
import { EndpointObject } from "./delivery/endpoint/endpoint-object.ts";
import { BatchObject } from "./dispatch/batch/batch-object.ts";
import { PoolObject } from "./dispatch/pool/pool-object.ts";
import { MemoryObject } from "./executor/memory/memory-object.ts";
import { MeterObject } from "./observe/meter/meter-object.ts";
import { consume } from "./queues.ts";
import { faceOf } from "./services-face.ts";
import { armFaults } from "./services-faults.ts";
import { limitsPortsOf } from "./services-limits.ts";
import { memoryPortsOf } from "./services-memory.ts";
import { meterPortsOf } from "./services-meter.ts";
import { sweepByCron, sweepWithoutCron } from "./services-sweep.ts";
import { endpointPortsOf } from "./services-webhooks.ts";
import { batchPortsOf, taskPortsOf } from "./services.ts";
import { TaskObject } from "./task/task-object.ts";

TaskObject.connect = taskPortsOf;
BatchObject.connect = batchPortsOf;
EndpointObject.connect = endpointPortsOf;
LimitsObject.connect = limitsPortsOf;
MemoryObject.connect = memoryPortsOf;
MeterObject.connect = meterPortsOf;

// Before anything is built of the bindings.
armFaults(startingEnv, [
  BatchObject.prototype,
  EndpointObject.prototype,
  LimitsObject.prototype,
  MemoryObject.prototype,
  MeterObject.prototype,
  OffenderObject.prototype,
  PoolObject.prototype,
  TaskObject.prototype,
]);

export {
  BatchObject,
  EndpointObject,
  LimitsObject,
  MemoryObject,
  MeterObject,
  OffenderObject,
  PoolObject,
  TaskObject,
};

export default {
  fetch: (request, env, ctx) => {
    ctx.waitUntil(sweepWithoutCron(env));
    return faceOf(env).fetch(request, env, ctx);
  },
  queue: (batch, env, ctx) => consume(batch, env, (work) => ctx.waitUntil(work)),
  scheduled: ({ cron }, env) => sweepByCron(env, cron),
} satisfies ExportedHandler<Env>;
