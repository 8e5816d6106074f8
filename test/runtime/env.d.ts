declare namespace Cloudflare {
  interface Env {
    TEST_ARCHIVE: R2Bucket;
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
  }
}
