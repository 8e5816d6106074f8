/*
 * In place of @ai-sdk/gateway in the bundle (wrangler.toml, [alias]). The SDK asks it for models that are named by a
 * text; here a model is always one of a provider of the catalogue (src/executor/models), and Vercel's gateway is one
 * of them by its own base_url. Without this it would be carried along: 20 KiB.
 */

class GatewayError extends Error {
  static isInstance() {
    return false;
  }
}

export { GatewayError, GatewayError as GatewayAuthenticationError };

export function createGateway() {
  throw new GatewayError("A model is named by the catalogue, not by a text");
}

export const gateway = {
  languageModel: createGateway,
};
