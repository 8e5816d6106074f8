import * as z from "zod";

import { DIMS, type Embedder } from "./embedder.ts";
import { quantised } from "./vectors.ts";

/** What is needed of the platform's binding `AI`. */
export interface EmbeddingBinding {
  run(model: string, input: { text: string[] }): Promise<unknown>;
}

/** Multilingual, 768 dimensions of which the first 256 stand alone (its model card, "Matryoshka"). */
const MODEL = "@cf/google/embeddinggemma-300m";

/** Texts of one call (the model's page of Workers AI). */
const MOST_TEXTS = 100;

const answerSchema = z.object({ data: z.array(z.array(z.number()).min(DIMS)) });

/** An embedder that sees meaning, on Workers AI. Its threshold is that of its makers' examples, not measured here. */
export function workersAiEmbedder(ai: EmbeddingBinding): Embedder {
  const ask = async (text: string[]): Promise<Int8Array[]> => {
    const { data } = answerSchema.parse(await ai.run(MODEL, { text }));
    if (data.length !== text.length)
      throw new Error(`${data.length} vectors for ${text.length} texts`);
    return data.map((vector) => quantised(vector.slice(0, DIMS)));
  };
  return {
    name: "embeddinggemma-300m-256",
    dims: DIMS,
    threshold: 0.4,
    async embed(texts) {
      const vectors: Int8Array[] = [];
      for (let from = 0; from < texts.length; from += MOST_TEXTS) {
        vectors.push(...(await ask(texts.slice(from, from + MOST_TEXTS))));
      }
      return vectors;
    },
  };
}
