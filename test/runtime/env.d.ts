declare namespace Cloudflare {
  interface Env {
    FUZZ_CASES: string;
    FUZZ_SEED: string;
    TEST_ARCHIVE: R2Bucket;
    TEST_DATABASE: D1Database;
    TEST_EVENTS: Queue;
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}

interface ImportMeta {
  /** Of Vite: every file that matches, read when the test is loaded. */
  glob(pattern: string, options: { eager: true; import: "default" }): Record<string, unknown>;
}
