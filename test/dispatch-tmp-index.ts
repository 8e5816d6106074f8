import { DurableObject } from "cloudflare:workers";
export class TaskObject extends DurableObject<Env> {}
export { PoolObject } from "../src/dispatch/pool-object.ts";
export class EndpointObject extends DurableObject<Env> {}
export default { async fetch() { return new Response(); }, async queue() {}, async scheduled() {} };
