import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

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
  const said = useRef(props.value);
  useLayoutEffect(() => {
    // What was said here comes back, and more may have been typed since.
    if (said.current === props.value) return;
    said.current = props.value;
    setWritten(props.value);
  }, [props.value]);
  useEffect(() => () => clearTimeout(rest.current), []);
  const tell = (value: string): void => {
    clearTimeout(rest.current);
    if (value === said.current) return;
    said.current = value;
    props.onValue(value);
  };
  const write = (value: string): void => {
    setWritten(value);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => tell(value), REST_MS);
  };
  // Whoever goes elsewhere has finished: it is told before whatever is done there.
  return (
    <TextField label={props.label} value={written} onValue={write} onLeave={() => tell(written)} />
  );
}
