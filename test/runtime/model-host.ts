import type { AskedQuestion, ModelScript } from "../model-script.ts";

/** Models on the test's side of the internet (../model-server.ts). */
export interface ModelHost {
  /** To register models with. */
  base_url: string;
  /** Replaces the replies, by the model's name. Without a script every model says OK. */
  script: (script: ModelScript) => Promise<void>;
  /** What was asked so far, in order. */
  asked: () => Promise<AskedQuestion[]>;
}

/** A host of models that no other test knows. */
export function newModelHost(): ModelHost {
  const id = crypto.randomUUID();
  return {
    base_url: `https://models.test/m/${id}/v1`,
    script: async (script) => {
      await fetch(`https://models.test/script/${id}`, {
        method: "PUT",
        body: JSON.stringify(script),
      });
    },
    asked: async () => {
      const response = await fetch(`https://models.test/log/${id}`);
      return response.json();
    },
  };
}
