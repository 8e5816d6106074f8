import type { CatalogueModel } from "../../protocol/model.ts";

/** Why the models of a provider can't be asked in this installation; null when they can. */
export function absence(
  provider: CatalogueModel["provider"],
  hasWorkersAi: boolean,
): string | null {
  return provider === "workers_ai" && !hasWorkersAi
    ? "workers_ai needs the binding AI, which wrangler.toml gives a deployed Worker (env.production) and no local one"
    : null;
}
