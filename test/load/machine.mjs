/** What the machine says of processes, and where it keeps state. */
import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";

/** Linux counts CPU time in hundredths of a second. */
const MS_PER_TICK = 10;

/** CPU time that a process has used, milliseconds. */
export function cpuMsOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}

/** Process ids of the workerds that a process has started; none where there is no /proc. */
export function workerdsBelow(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text
      .split(" ")
      .filter(
        (child) => child !== "" && readFileSync(`/proc/${child}/comm`, "utf8") === "workerd\n",
      )
      .map(Number);
  } catch {
    return [];
  }
}

/** Bytes that a process has in memory. */
export function memoryBytesOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1_024;
}

/** Free bytes that make a folder in memory large enough. */
const MIN_MEMORY_BYTES = 2 ** 30;

/**
 * Where states belong: in memory if there are so many bytes free, as the wait for `fsync` on a shared disk drowns what is
 * measured.
 */
export function stateFolder(minBytes = MIN_MEMORY_BYTES) {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize >= minBytes ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}
