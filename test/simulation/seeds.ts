/** `SIMULATION_SEED=7` repeats one run, `SIMULATION_SEEDS=500` makes more of them. */
const only = process.env["SIMULATION_SEED"];
const count = Number(process.env["SIMULATION_SEEDS"] ?? "50");

/** The seeds of this test run. */
export const seeds =
  only === undefined ? Array.from({ length: count }, (_, index) => index + 1) : [Number(only)];

/** Steps of one run: so many unless `SIMULATION_STEPS` says otherwise. */
export function stepsOf(standard: number): number {
  return Number(process.env["SIMULATION_STEPS"] ?? standard);
}
