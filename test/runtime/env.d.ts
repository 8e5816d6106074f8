declare namespace Cloudflare {
  interface Env {
    FUZZ_CASES: string;
    FUZZ_SEED: string;
    TEST_ARCHIVE: R2Bucket;
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}
