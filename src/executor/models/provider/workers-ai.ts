import { createWorkersAI } from "workers-ai-provider";

import type { ProviderModel } from "./rounds.ts";

/** Models of Workers AI, behind the binding that only a deployed Worker has. */
export function workersAi(binding: Ai): (name: string) => ProviderModel {
  const provider = createWorkersAI({ binding });
  return (name) => provider.chat(name);
}
