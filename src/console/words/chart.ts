import { dictionary } from "./dictionary.ts";

/** What stands around a chart. */
export const chartWords = dictionary(
  { hour: "in the last hour", minute: "Minute", asTable: "As a table" },
  { hour: "en la última hora", minute: "Minuto", asTable: "Como tabla" },
);
