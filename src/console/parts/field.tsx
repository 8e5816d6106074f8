import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Labelled {
  label: string;
  hint?: ComponentChildren;
  /** What the server says against it. */
  fault?: string | undefined;
}

function below({ hint, fault }: Labelled, id: string) {
  return (
    <>
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {fault !== undefined && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </>
  );
}

function describedBy({ hint, fault }: Labelled, id: string) {
  const ids = [
    ...(hint === undefined ? [] : [`${id}-hint`]),
    ...(fault === undefined ? [] : [`${id}-fault`]),
  ];
  return {
    ...(ids.length > 0 && { "aria-describedby": ids.join(" ") }),
    ...(fault !== undefined && { "aria-invalid": true }),
  };
}

/** A line or a block of text, with its label. */
export function TextField(
  props: Labelled & {
    value: string;
    onValue: (value: string) => void;
    rows?: number;
    type?: "text" | "number" | "password" | "search" | "url" | "datetime-local";
    isRequired?: boolean;
    placeholder?: string;
    isMono?: boolean;
    /** Somebody has left it. */
    onLeave?: () => void;
  },
) {
  const id = useId();
  const { value, onValue, rows, type = "text" } = props;
  const shared = {
    id,
    value,
    required: props.isRequired === true,
    placeholder: props.placeholder ?? "",
    class: props.isMono === true ? "input mono" : "input",
    spellcheck: props.isMono !== true,
    autocomplete: "off" as const,
    ...(props.onLeave !== undefined && { onBlur: props.onLeave }),
    ...describedBy(props, id),
  };
  // Preact tells inputs apart by type; which one it is does not matter here.
  const typed: object = { type };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {rows === undefined ? (
        <input {...shared} {...typed} onInput={(event) => onValue(event.currentTarget.value)} />
      ) : (
        <textarea {...shared} rows={rows} onInput={(event) => onValue(event.currentTarget.value)} />
      )}
      {below(props, id)}
    </div>
  );
}

/** One of several choices, with its label. */
export function ChoiceField(
  props: Labelled & {
    value: string;
    onValue: (value: string) => void;
    choices: readonly (readonly [value: string, words: string])[];
  },
) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select
        id={id}
        class="input"
        value={props.value}
        onChange={(event) => props.onValue(event.currentTarget.value)}
        {...describedBy(props, id)}
      >
        {props.choices.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      {below(props, id)}
    </div>
  );
}

/** Yes or no, with its label. */
export function CheckField(
  props: Labelled & { value: boolean; onValue: (value: boolean) => void },
) {
  const id = useId();
  return (
    <div class="field">
      <span class="check">
        <input
          id={id}
          type="checkbox"
          checked={props.value}
          onChange={(event) => props.onValue(event.currentTarget.checked)}
          {...describedBy(props, id)}
        />
        <label for={id}>{props.label}</label>
      </span>
      {below(props, id)}
    </div>
  );
}

/** Several of some choices, with a label for all. */
export function ChecksField(props: {
  label: string;
  value: readonly string[];
  onValue: (value: string[]) => void;
  choices: readonly (readonly [value: string, words: string])[];
}) {
  return (
    <fieldset class="field checks">
      <legend>{props.label}</legend>
      {props.choices.map(([one, words]) => (
        <CheckField
          key={one}
          label={words}
          value={props.value.includes(one)}
          onValue={(isChosen) =>
            props.onValue(
              props.choices
                .map(([value]) => value)
                .filter((value) => (value === one ? isChosen : props.value.includes(value))),
            )
          }
        />
      ))}
    </fieldset>
  );
}
