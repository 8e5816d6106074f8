import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import type { TaskEvent, TaskView } from "../protocol/task-view.ts";
import { ArchiveFile, type Slice } from "./archive-file.ts";
import { readingOf, type Reading } from "./reading.ts";
import { outcomeOfView, type OldTask, type Removal } from "./removed.ts";

/** Bytes of D1 that one file holds, unless a single task has more. */
export const FILE_BYTES = 8_000_000;

/** Bytes of D1 that are read at once, as everywhere in history: a Worker has 128 MB (facts/platform.md §4). */
const READ_BYTES = 4_000_000;

/** A task as it was read together with others. */
interface WholeTask {
  task_id: string;
  /** @throws when what is stored is not a task */
  whole: () => { view: TaskView; events: TaskEvent[] };
}

/** What the removal of a group of tasks needs from outside. */
export interface RemovalPorts {
  now: Clock;
  log: Log;
  /** Tasks with their logs, of one moment and in one round trip; those that are gone are missing. */
  tasks: (tenant: string, task_ids: readonly string[]) => Promise<WholeTask[]>;
  /** A single task that is too large for that. */
  view: (tenant: string, task_id: string) => Promise<TaskView | null>;
  /** Its log, page by page. */
  events: (tenant: string, task_id: string) => AsyncIterable<readonly TaskEvent[]>;
  /** Writes a file to the archive, and gives its key; null where there is no archive. */
  archive: ((tenant: string, file: { day: string; bytes: Uint8Array }) => Promise<string>) | null;
  /** Removes tasks from D1, all or none; one that has changed since it was read stays. */
  remove: (tenant: string, removals: readonly Removal[]) => Promise<void>;
}

/** What became of a group. */
interface Removed {
  count: number;
  /** Tasks that were not removed because history lacks events of them. */
  incomplete: string[];
}

/** Tasks in groups of so many bytes, unless a single one has more. */
export function groupsOf(tasks: readonly OldTask[], most_bytes: number): OldTask[][] {
  const groups: OldTask[][] = [];
  let together = Infinity;
  for (const task of tasks) {
    if (together + task.bytes > most_bytes) {
      groups.push([]);
      together = 0;
    }
    groups.at(-1)?.push(task);
    together += task.bytes;
  }
  return groups;
}

type Found = Map<string, () => Promise<Reading | null>>;

/** How each of these tasks is read; without those that are gone. */
async function find(
  ports: RemovalPorts,
  tenant: string,
  portion: readonly OldTask[],
): Promise<Found> {
  const isArchived = ports.archive !== null;
  const [first] = portion;
  if (first !== undefined && first.bytes > READ_BYTES) {
    const { task_id } = first;
    const view = await ports.view(tenant, task_id);
    if (view === null) return new Map();
    return new Map([[task_id, () => readingOf(view, ports.events(tenant, task_id), isArchived)]]);
  }
  const task_ids = portion.map(({ task_id }) => task_id);
  const found = await ports.tasks(tenant, task_ids);
  return new Map(
    found.map(({ task_id, whole }) => [
      task_id,
      async () => {
        const { view, events } = whole();
        return readingOf(view, [events], isArchived);
      },
    ]),
  );
}

interface Readings {
  complete: { old: OldTask; reading: Reading }[];
  incomplete: string[];
}

/** Reads a group. One that cannot be read stays, and is named in the log: the others need not wait for it. */
async function readGroup(
  ports: RemovalPorts,
  tenant: string,
  group: readonly OldTask[],
): Promise<Readings> {
  const readings: Readings = { complete: [], incomplete: [] };
  const note = (old: OldTask, reading: Reading | null | undefined): void => {
    if (reading === null) readings.incomplete.push(old.task_id);
    else if (reading !== undefined) readings.complete.push({ old, reading });
  };
  for (const portion of groupsOf(group, READ_BYTES)) {
    const found = await find(ports, tenant, portion);
    for (const old of portion) {
      const { task_id } = old;
      try {
        note(old, await found.get(task_id)?.());
      } catch (error) {
        ports.log("error", "task_not_removed", { tenant, task_id, error: String(error) });
      }
    }
  }
  return readings;
}

/**
 * Removes a group of tasks, what history has completely: into the archive first, where there is one.
 *
 * @throws when D1 or the archive fails; then nothing was removed
 */
export async function removeGroup(
  ports: RemovalPorts,
  tenant: string,
  group: readonly OldTask[],
): Promise<Removed> {
  const { complete: readings, incomplete } = await readGroup(ports, tenant, group);
  if (readings.length === 0) return { count: 0, incomplete };
  const file = new ArchiveFile();
  const slices = readings.map(({ reading: { view, events } }): Slice | null =>
    ports.archive === null ? null : file.add(view, events),
  );
  const day = (readings[0]?.old.created_at ?? "").slice(0, 10);
  const key = await ports.archive?.(tenant, { day, bytes: file.bytes() });
  const removed_at = instant(ports.now());
  const removals = readings.map(({ old, reading }, index): Removal => {
    const { view, escalation_ids, debt_ids } = reading;
    const slice = slices[index] ?? null;
    return {
      task_id: view.task_id,
      created_at: old.created_at,
      seq: view.seq,
      ended_at: view.ended_at ?? view.updated_at,
      removed_at,
      outcome: outcomeOfView(view),
      place: slice === null || key === undefined ? null : { key, ...slice },
      escalation_ids,
      debt_ids,
    };
  });
  await ports.remove(tenant, removals);
  return { count: removals.length, incomplete };
}
