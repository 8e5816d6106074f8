// What executor.lazy.mjs is made of, for those who import it.
export * from "./executor.lazy.ts";
