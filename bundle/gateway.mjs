class GatewayError extends Error {
  static isInstance() { return false; }
}
export { GatewayError, GatewayError as GatewayAuthenticationError };
export const createGateway = () => { throw new GatewayError("Models are named by the catalogue.") };
export const gateway = {};
