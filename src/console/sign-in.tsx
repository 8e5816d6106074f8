import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { call } from "./api/client.ts";
import { sessionEnd, signIn } from "./api/session.ts";
import { keyIn } from "./lib/key-text.ts";
import { json } from "./lib/shape.ts";
import { setOut } from "./parts/page.tsx";
import { Patience } from "./parts/patience.tsx";
import { Preferences } from "./parts/preferences.tsx";
import { useBusy } from "./parts/use-busy.ts";
import { useStore } from "./parts/use-store.ts";
import { useWords } from "./parts/use-words.ts";
import { shellWords } from "./words/shell.ts";

type Fault = "keyRefused" | "keyEmpty" | "keyForbidden" | "keyUnreachable";

/** Whether the server is the reader's own machine, where the key lies in a file that can be named. */
function isLocal(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

/** Tries a key by the cheapest thing that every page needs. */
async function faultOf(key: string): Promise<{ fault: Fault } | { detail: string } | null> {
  if (key === "") return { fault: "keyEmpty" };
  // A header takes no such characters; the browser would refuse the request and not the server.
  if (!/^[\x21-\x7e]+$/.test(key)) return { fault: "keyRefused" };
  const answer = await call("/v1/tasks?limit=1", json, { key });
  if (answer.ok) return null;
  const { status, detail } = answer.problem;
  if (status === 0) return { fault: "keyUnreachable" };
  if (status === 401) return { fault: "keyRefused" };
  return status === 403 ? { fault: "keyForbidden" } : { detail };
}

function KeyField(props: {
  value: string;
  onValue: (value: string) => void;
  fault: string | null;
}) {
  const say = useWords(shellWords);
  const [isShown, setShown] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  // `autofocus` works once in a document, and sessions end oftener.
  useLayoutEffect(() => field.current?.focus(), []);
  // Preact tells inputs apart by type.
  const typed: object = { type: isShown ? "text" : "password" };
  return (
    <div class="field">
      <label for="key">{say("keyLabel")}</label>
      <div class="joined">
        <input
          {...typed}
          ref={field}
          id="key"
          class="input mono"
          value={props.value}
          autocomplete="current-password"
          spellcheck={false}
          autocapitalize="off"
          aria-invalid={props.fault !== null}
          aria-describedby="key-hint key-fault"
          onInput={(event) => props.onValue(event.currentTarget.value)}
        />
        <button
          type="button"
          class="button"
          aria-pressed={isShown}
          onClick={() => setShown(!isShown)}
        >
          {say(isShown ? "keyHide" : "keyShow")}
        </button>
      </div>
      <p class="fault" id="key-fault" role="alert">
        {props.fault}
      </p>
      <p class="hint" id="key-hint">
        {say("keyHint")}
      </p>
    </div>
  );
}

function KeyForm() {
  const say = useWords(shellWords);
  const [key, setKey] = useState("");
  const [isBusy, run] = useBusy();
  const [fault, setFault] = useState<string | null>(null);
  const isOver = useStore(sessionEnd) === "refused";
  const submit = async (): Promise<void> => {
    const given = keyIn(key);
    const found = await faultOf(given);
    if (found === null) {
      setOut();
      return signIn(given);
    }
    setFault("fault" in found ? say(found.fault) : found.detail);
    document.querySelector<HTMLElement>("#key")?.focus();
  };
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        run(submit);
      }}
      noValidate
    >
      {isOver && fault === null && (
        <p class="problem" role="alert">
          {say("sessionOver")}
        </p>
      )}
      <KeyField value={key} onValue={setKey} fault={fault} />
      <button type="submit" class="button primary wide" aria-disabled={isBusy}>
        {say(isBusy ? "signingIn" : "signIn")}
      </button>
      <Patience />
    </form>
  );
}

/** A staff, some notes, and the baton. */
function Picture() {
  return (
    <div class="sign-in-art" aria-hidden="true">
      <svg viewBox="0 0 600 900" preserveAspectRatio="xMidYMid slice">
        {[0, 1, 2, 3, 4].map((line) => (
          <path
            key={line}
            class="staff"
            d={`M-20 ${372 + line * 34}C160 ${292 + line * 40} 380 ${
              520 + line * 22
            } 640 ${330 + line * 38}`}
          />
        ))}
        <path class="stroke" d="M508 138 214 610" />
        <ellipse class="handle" cx="199" cy="634" rx="15" ry="33" transform="rotate(32 199 634)" />
        {NOTES.map(([x, y]) => (
          <ellipse
            key={x}
            class="note"
            cx={x}
            cy={y}
            rx="13"
            ry="9.5"
            transform={`rotate(-20 ${x} ${y})`}
          />
        ))}
      </svg>
    </div>
  );
}

/** What is shown to whoever has no session. */
export function SignIn() {
  const say = useWords(shellWords);
  useEffect(() => {
    document.title = `${say("signInTitle")} · Batuta`;
  });
  return (
    <div class="sign-in">
      <Picture />
      <main class="sign-in-form">
        <p class="brand">
          <img src="/favicon.svg" alt="" width="36" height="36" />
          Batuta
        </p>
        <p class="tagline">{say("tagline")}</p>
        <h1 class="unseen">{say("signInTitle")}</h1>
        <KeyForm />
        {isLocal(location.hostname) && (
          <aside class="local">
            <strong>{say("localTitle")}</strong>
            <p>{say("localText")}</p>
            <code>grep BATUTA_ADMIN_KEY .dev.vars</code>
          </aside>
        )}
        <footer class="sign-in-foot">
          <a href="/start">{say("whatIs")}</a>
          <a href="/docs">{say("apiDocs")}</a>
          <Preferences />
        </footer>
      </main>
    </div>
  );
}

/** Notes on the staff, in the picture's own units. */
const NOTES = [
  [84, 428],
  [150, 384],
  [232, 444],
  [330, 476],
  [420, 448],
  [505, 420],
] as const;
