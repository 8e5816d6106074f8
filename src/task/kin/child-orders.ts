import { inTurn } from "../../lib/in-turn.ts";
import type { TaskState } from "../machine/state.ts";
import { hasVerdict } from "../machine/state.ts";
import { openCancels } from "../machine/verdict.ts";
import type { KinPorts } from "../ports.ts";
import { openChildren } from "./family.ts";
import { isHeldBack } from "./gates.ts";
import { stopOrderOf } from "./stop-order.ts";

/** Calls to other objects at the same time: the platform lets six connections of one call be open. */
const MOST_CALLS = 6;

/** What one task tells its children: that they may go on, because it was let go itself, or that they must stop. */
export class ChildOrders {
  readonly #ports: Pick<KinPorts, "poke" | "stop">;
  readonly #stopped = new Set<string>();
  readonly #letGo = new Set<string>();

  constructor(ports: Pick<KinPorts, "poke" | "stop">) {
    this.#ports = ports;
  }

  /** Whether a child is still to be told something. */
  owes(state: TaskState): boolean {
    return this.#toStop(state).length > 0 || this.#toLetGo(state).length > 0;
  }

  /** A child that had not come to be when it was told to stop has to be told again. */
  firstHeard(task_id: string): void {
    this.#stopped.delete(task_id);
  }

  async stop(state: TaskState): Promise<void> {
    const { tenant, task_id: from } = state.origin;
    const order = { ...stopOrderOf(state), from };
    await inTurn(this.#toStop(state), MOST_CALLS, async (task_id) => {
      await this.#ports.stop(tenant, task_id, order);
      this.#stopped.add(task_id);
    });
  }

  async letGo(state: TaskState): Promise<void> {
    await inTurn(this.#toLetGo(state), MOST_CALLS, async (task_id) => {
      await this.#ports.poke(state.origin.tenant, task_id);
      this.#letGo.add(task_id);
    });
  }

  #toStop(state: TaskState): string[] {
    const isOver = hasVerdict(state) || openCancels(state).length > 0;
    if (state.family === null || !isOver) return [];
    return openChildren(state.family)
      .map(({ task_id }) => task_id)
      .filter((task_id) => !this.#stopped.has(task_id));
  }

  /** Children that may wait for what held this task back. */
  #toLetGo(state: TaskState): string[] {
    const wasHeldBack = (state.origin.gates ?? []).length > 0 && !isHeldBack(state);
    if (!wasHeldBack || hasVerdict(state)) return [];
    return openChildren(state.family)
      .filter(({ report }) => report === null || report.phase === "waiting_dependencies")
      .map(({ task_id }) => task_id)
      .filter((task_id) => !this.#letGo.has(task_id));
  }
}
