/* When a backup is due, and which ones go. */

/** The name of a backup that begins at an instant, e.g. 20261126T183644Z: the second of it. @param ms epoch milliseconds */
export function backupIdAt(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

/** When a backup began, epoch milliseconds; null for what is no name of one. */
export function beginOf(backup_id: string): number | null {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(backup_id);
  if (parts === null) return null;
  const [, year, month, day, hours, minutes, seconds] = parts;
  const at = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`);
  return Number.isNaN(at) ? null : at;
}

/** Whether the next one is due. @param every milliseconds; 0: never */
export function isDue(lastBegin: number | null, now: number, every: number): boolean {
  if (every === 0) return false;
  return lastBegin === null || now - lastBegin >= every;
}

/**
 * Which of these backups are over, oldest first. The newest finished one stays, however old it is; what is no backup is not
 * touched.
 *
 * @param kept milliseconds
 */
export function overdue(
  names: readonly string[],
  newestFinished: string,
  { now, kept }: { now: number; kept: number },
): string[] {
  return names
    .filter((name) => {
      const begin = beginOf(name);
      return begin !== null && name !== newestFinished && now - begin > kept;
    })
    .toSorted();
}
