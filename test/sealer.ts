import { createSealer } from "../src/lib/seal.ts";

/** The key of every runtime test's Worker. */
export const SEAL_KEY = "a key that seals secrets in tests alone";

/** Seals as that Worker does. */
export const sealer = createSealer([SEAL_KEY]);
