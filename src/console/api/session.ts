import { createStore } from "../lib/store.ts";

const KEY_PLACE = "batuta.key";

/** Storage may be forbidden: then the key lives as long as the page. */
function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY_PLACE);
  } catch {
    return null;
  }
}

/** Who is signed in: the key, kept for this tab alone and gone with it. */
export const session = createStore<string | null>(stored());

/** Why the last session ended, for the sign-in page to say. */
export const sessionEnd = createStore<"refused" | null>(null);

let ending = new AbortController();

/** Ends with the session in which it was asked for: whatever waits then is not done in the name of the next one. */
export const sessionSignal = (): AbortSignal => ending.signal;

function keep(key: string | null): void {
  try {
    if (key === null) sessionStorage.removeItem(KEY_PLACE);
    else sessionStorage.setItem(KEY_PLACE, key);
  } catch {
    // As above.
  }
  ending.abort();
  ending = new AbortController();
  session.set(key);
}

/** Starts a session with a key that the server has accepted. */
export function signIn(key: string): void {
  sessionEnd.set(null);
  keep(key);
}

/** Forgets the key. */
export function signOut(why: "refused" | null = null): void {
  sessionEnd.set(why);
  keep(null);
}
