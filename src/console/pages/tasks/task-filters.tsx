import { useRef } from "preact/hooks";

import { routeTo } from "../../lib/route.ts";
import { ChoiceField, TextField } from "../../parts/field.tsx";
import { useTerms, useWords } from "../../parts/use-words.ts";
import { tasksWords } from "../../words/tasks.ts";

const STATUSES = ["pending", "running", "escalated", "completed", "failed", "cancelled"];
const PRIORITIES = ["critical", "high", "normal", "low"];

/** The contract's types of tasks. */
export const TASK_TYPES = [
  "general",
  "research",
  "data_analysis",
  "documentation",
  "code_generation",
  "code_debugging",
  "testing",
  "deployment",
  "configuration",
  "monitoring",
];

const CHOICES = [
  ["status", "status", STATUSES],
  ["task_type", "type", TASK_TYPES],
  ["priority", "priority", PRIORITIES],
] as const;
const TYPED = [
  ["agent_id", "agent"],
  ["tag", "tag"],
] as const;

/** Filters of the list. They are in the address, so that a view can be kept and shared. */
export function TaskFilters(props: {
  query: Record<string, string>;
  words: string;
  onWords: (words: string) => void;
}) {
  const say = useWords(tasksWords);
  const term = useTerms();
  const { query } = props;
  const delay = useRef<ReturnType<typeof setTimeout>>(undefined);
  const put =
    (name: string) =>
    (value: string): void => {
      history.replaceState(null, "", routeTo("tasks", null, { ...query, [name]: value.trim() }));
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    };
  // Whoever types is not asked at each letter.
  const typed =
    (name: string) =>
    (value: string): void => {
      clearTimeout(delay.current);
      delay.current = setTimeout(() => put(name)(value), 400);
    };
  return (
    <form
      class="toolbar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (props.words.trim() !== "") location.hash = routeTo("tasks", props.words.trim());
      }}
    >
      <SearchField value={props.words} onValue={props.onWords} />
      {CHOICES.map(([name, words, values]) => (
        <ChoiceField
          key={name}
          label={say(words)}
          value={query[name] ?? ""}
          onValue={put(name)}
          choices={[["", say("any")], ...values.map((value) => [value, term(value)] as const)]}
        />
      ))}
      {TYPED.map(([name, words]) => (
        <TextField key={name} label={say(words)} value={query[name] ?? ""} onValue={typed(name)} />
      ))}
      {Object.keys(query).length > 0 && (
        <a class="button" href={routeTo("tasks")}>
          {say("clear")}
        </a>
      )}
    </form>
  );
}

function SearchField({ value, onValue }: { value: string; onValue: (value: string) => void }) {
  const say = useWords(tasksWords);
  return (
    <div class="field search">
      <label for="task-search">{say("search")}</label>
      <input
        id="task-search"
        data-search
        type="search"
        class="input"
        value={value}
        placeholder={say("searchHint")}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => onValue(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
    </div>
  );
}
