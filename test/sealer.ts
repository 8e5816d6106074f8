import { createSealer } from "../src/lib/seal.ts";

/** The key of every runtime test's Worker. */
export const SEAL_KEY = "a key that seals secrets in tests alone";

/** Seals as that Worker does. */
export const sealer = createSealer([SEAL_KEY]);

/** The issuer of JSON Web Tokens that every runtime test's Worker trusts: its keys are what a test has its mailbox say. */
export const JWT_VARIABLES = {
  JWT_ISSUER: "https://issuer.receiver.test",
  JWT_AUDIENCE: "batuta",
  JWT_JWKS_URL: "https://issuer.receiver.test/r/jwks",
};
