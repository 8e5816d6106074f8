import { useState } from "preact/hooks";

import { refilter } from "../../lib/address.ts";
import { routeTo } from "../../lib/route.ts";
import { ChoiceField } from "../../parts/field.tsx";
import { TypedField } from "../../parts/typed-field.tsx";
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
  const { query } = props;
  // Phones have little room; whoever came with filters sees them.
  const [isOpen, setOpen] = useState(
    () => matchMedia("(min-width: 46rem)").matches || Object.keys(query).length > 0,
  );
  const put =
    (name: string) =>
    (value: string): void => {
      // A view that is kept has no open form.
      refilter("tasks", null, { new: "", [name]: value.trim() });
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
      <details
        class="filters"
        open={isOpen}
        onToggle={(event) => setOpen(event.currentTarget.open)}
      >
        <summary>{say("filters")}</summary>
        <div class="filter-row">
          <Narrowing query={query} put={put} />
          {Object.keys(query).length > 0 && (
            <a class="button" href={routeTo("tasks")}>
              {say("clear")}
            </a>
          )}
        </div>
      </details>
    </form>
  );
}

type Put = (name: string) => (value: string) => void;

function Narrowing({ query, put }: { query: Record<string, string>; put: Put }) {
  const say = useWords(tasksWords);
  const term = useTerms();
  return (
    <>
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
        <TypedField key={name} label={say(words)} value={query[name] ?? ""} onValue={put(name)} />
      ))}
    </>
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
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
          // With other fields beside it and no button, a form is not sent by Enter.
          if (event.key === "Enter") event.currentTarget.form?.requestSubmit();
        }}
      />
    </div>
  );
}
