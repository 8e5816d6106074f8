import { useEffect, useRef, useState } from "preact/hooks";

import { TextField } from "./field.tsx";

/** After so long without a letter somebody has finished typing, milliseconds. */
const REST_MS = 400;

/** Keeps what is typed to itself until the typing rests: the server is not asked at each letter. */
export function TypedField(props: {
  label: string;
  value: string;
  onValue: (value: string) => void;
}) {
  const [written, setWritten] = useState(props.value);
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setWritten(props.value), [props.value]);
  useEffect(() => () => clearTimeout(rest.current), []);
  const write = (value: string): void => {
    setWritten(value);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => props.onValue(value), REST_MS);
  };
  return <TextField label={props.label} value={written} onValue={write} />;
}
