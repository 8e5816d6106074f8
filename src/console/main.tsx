import { render } from "preact";

import { session } from "./api/session.ts";
import { applyPreferences } from "./lib/preferences.ts";
import { useStore } from "./parts/use-store.ts";
import { Shell } from "./shell.tsx";
import { SignIn } from "./sign-in.tsx";

function App() {
  return useStore(session) === null ? <SignIn /> : <Shell />;
}

applyPreferences();
const root = document.querySelector("#console");
if (root === null) throw new Error("the page has no place for the console");
root.replaceChildren();
render(<App />, root);
