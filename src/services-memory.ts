import { Memory } from "./executor/memory/memory-door.ts";
import type { MemoryPorts } from "./executor/memory/memory-object.ts";
import type { MemoryDoor } from "./executor/memory/memory-port.ts";
import { builtinEmbedder, type Embedder } from "./executor/memory/text/embedder.ts";
import {
  workersAiEmbedder,
  type EmbeddingBinding,
} from "./executor/memory/text/workers-ai-embedder.ts";
import { consoleLog } from "./lib/log.ts";
import type { MemoryPort } from "./rest/memory-port.ts";
import { doorsOf, now } from "./services-doors.ts";
import type { TaskPorts } from "./task/ports.ts";

/* Long-term memory, and for whom. */

const DAY_MS = 86_400_000;

/** The hosted embedder, where the installation asks for it and has the binding. */
function embedderOf(env: Env & { AI?: EmbeddingBinding }): Embedder {
  const { isEmbeddingHosted } = doorsOf(env).config;
  return isEmbeddingHosted && env.AI !== undefined ? workersAiEmbedder(env.AI) : builtinEmbedder;
}

function memoryOf(env: Env): Memory {
  return new Memory({
    object: (tenant) => env.MEMORY.getByName(tenant),
    embedder: embedderOf(env),
    now,
    log: consoleLog("memory", now),
  });
}

/** Memory as the built-in executor uses it: what is down is as if nothing were remembered. */
export function memoryDoorOf(env: Env): MemoryDoor {
  return memoryOf(env);
}

/** What an ended task needs of it. */
export function rememberingOf(env: Env): Pick<TaskPorts, "remember"> {
  const memory = memoryOf(env);
  return { remember: (tenant, run) => memory.remember(tenant, run) };
}

/** Forgets what comes from tasks that history removes. */
export function forgetTasks(env: Env, tenant: string, task_ids: string[]): Promise<void> {
  return memoryOf(env).forgetAll(tenant, task_ids);
}

/** Memory as the HTTP face shows it. */
export function memoryPort(env: Env): MemoryPort {
  const memory = memoryOf(env);
  return {
    list: (tenant, query) => memory.list(tenant, query),
    get: (tenant, memory_id) => memory.get(tenant, memory_id),
    state: (tenant, statement) => memory.state(tenant, statement),
    remove: (tenant, memory_id) => memory.remove(tenant, memory_id),
    forget: (tenant, task_id) => memory.forget(tenant, task_id),
  };
}

/** What a tenant's memory needs: it keeps for as long as history does. */
export function memoryPortsOf(env: Env): MemoryPorts {
  return { retentionMs: doorsOf(env).config.taskRetention.historyDays * DAY_MS };
}
