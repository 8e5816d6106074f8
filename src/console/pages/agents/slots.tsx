import type { Agent } from "../../api/agents.ts";
import { useWords } from "../../parts/use-words.ts";
import { agentsWords } from "../../words/agents.ts";

/** How many of an agent's slots are taken. */
export function Slots({ of: { agent_id, slots, slots_in_use } }: { of: Agent }) {
  const say = useWords(agentsWords);
  return (
    <span class="slots">
      <meter
        min={0}
        max={Math.max(1, slots)}
        value={slots_in_use}
        aria-label={say("slotsLabel", { id: agent_id })}
      />
      <span class="nowrap">{say("slotsOf", { used: slots_in_use, all: slots })}</span>
    </span>
  );
}
