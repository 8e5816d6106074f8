/** Where the states of servers belong that are measured. */
import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";

/** Free bytes that make a folder in memory large enough. */
const MIN_MEMORY_BYTES = 2 ** 30;

/** In memory where that is possible: on a shared disk the wait for `fsync` drowns what is measured. */
export function stateFolder() {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize >= MIN_MEMORY_BYTES ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}
