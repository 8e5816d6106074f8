import type { FunctionComponent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { signOut } from "./api/session.ts";
import { parseRoute, routeTo, type Route } from "./lib/route.ts";
import { PAGES, type PageEntry } from "./pages.ts";
import { useFocusKeeper } from "./parts/focus-keeper.ts";
import { Help } from "./parts/help.tsx";
import { useKeys } from "./parts/keys.ts";
import { announce, news } from "./parts/news.ts";
import { Page, setOut, type PageProps } from "./parts/page.tsx";
import { Patience } from "./parts/patience.tsx";
import { Preferences } from "./parts/preferences.tsx";
import { Loading } from "./parts/states.tsx";
import { useStore } from "./parts/use-store.ts";
import { useWords } from "./parts/use-words.ts";
import { shellWords } from "./words/shell.ts";

/** How long a note about an action stays, milliseconds. */
const NOTE_MS = 6_000;

function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  // At once, or what changes until the next frame would be missed.
  useLayoutEffect(() => {
    const look = (): void => {
      setOut();
      setRoute(parseRoute(location.hash));
    };
    window.addEventListener("hashchange", look);
    return () => window.removeEventListener("hashchange", look);
  }, []);
  return route;
}

interface Loaded {
  load: PageEntry["load"];
  /** null where it could not be read. */
  Page: FunctionComponent<PageProps> | null;
}

/** The code of a page, once it is there. */
function usePage(load: PageEntry["load"] | undefined): Loaded | undefined {
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    if (load === undefined) return;
    let isWanted = true;
    load().then(
      (module) => isWanted && setLoaded({ load, Page: module.Page }),
      () => isWanted && setLoaded({ load, Page: null }),
    );
    return () => {
      isWanted = false;
    };
  }, [load]);
  return loaded?.load === load ? loaded : undefined;
}

function Body({ route }: { route: Route }) {
  const say = useWords(shellWords);
  const entry = PAGES.find(({ name }) => name === route.page);
  const loaded = usePage(route.id === null ? entry?.load : (entry?.loadOne ?? entry?.load));
  if (entry === undefined) {
    return (
      <Page key={route.page} title={say("pageUnknown", { page: route.page })}>
        <a href={routeTo("overview")}>{say("pageUnknownGo")}</a>
      </Page>
    );
  }
  if (loaded === undefined) return <Loading />;
  if (loaded.Page === null) {
    return (
      <Page key={route.page} title={say(entry.words)}>
        <div class="problem" role="alert">
          <p>{say("pageFailed")}</p>
          <button type="button" class="button" onClick={() => location.reload()}>
            {say("reload")}
          </button>
        </div>
      </Page>
    );
  }
  // Another subject is another page: nothing of the former one stays.
  return <loaded.Page key={`${route.page}/${route.id ?? ""}`} id={route.id} query={route.query} />;
}

function Navigation({ page }: { page: string }) {
  const say = useWords(shellWords);
  const frame = useRef<HTMLElement>(null);
  useEffect(() => {
    // On phones there are more pages than room.
    const { current } = frame;
    const link = current?.querySelector<HTMLElement>("[aria-current]");
    if (current === null || link == null) return;
    current.scrollLeft = link.offsetLeft - (current.clientWidth - link.offsetWidth) / 2;
  }, [page]);
  return (
    <nav class="nav" ref={frame} aria-label={say("navLabel")}>
      <ul>
        {PAGES.map(({ name, words, key }) => (
          <li key={name}>
            <a href={routeTo(name)} aria-current={name === page ? "page" : undefined}>
              <span>{say(words)}</span>
              <kbd aria-hidden="true">g {key}</kbd>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Reads news out, and shows those that have a tone for a while. */
function NewsDesk() {
  const { text, tone, turn } = useStore(news);
  const [ended, setEnded] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setEnded(turn), NOTE_MS);
    return () => clearTimeout(timer);
  }, [turn]);
  const isShown = tone !== null && ended !== turn;
  return (
    <div class={isShown ? `note note-${tone}` : "unseen"} aria-live="polite" aria-atomic="true">
      {text}
    </div>
  );
}

/** All that surrounds a page for whoever is signed in. */
export function Shell() {
  const say = useWords(shellWords);
  const route = useRoute();
  const [isHelping, setHelping] = useState(false);
  useFocusKeeper();
  useKeys({
    "?": () => setHelping(true),
    "/": () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
    ...Object.fromEntries(
      PAGES.map(({ name, key }) => [`g ${key}`, () => (location.hash = routeTo(name))]),
    ),
  });
  const leave = (): void => {
    signOut();
    announce(say("signedOut"));
  };
  return (
    <div class="frame">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The part behind # is the route.
          event.preventDefault();
          document.querySelector<HTMLElement>("#main")?.focus();
        }}
      >
        {say("skip")}
      </a>
      <header class="bar">
        <a class="brand" href={routeTo("overview")}>
          <img src="/favicon.svg" alt="" width="24" height="24" />
          Batuta
        </a>
        <Navigation page={route.page} />
        <div class="bar-end">
          <Preferences />
          <button
            type="button"
            class="button ghost keys-only"
            title={say("help")}
            aria-label={say("help")}
            onClick={() => setHelping(true)}
          >
            ?
          </button>
          <button type="button" class="button ghost" onClick={leave}>
            {say("signOut")}
          </button>
        </div>
      </header>
      <main id="main" class="main" tabIndex={-1}>
        <Patience />
        <Body route={route} />
      </main>
      <NewsDesk />
      {isHelping && <Help onClose={() => setHelping(false)} />}
    </div>
  );
}
