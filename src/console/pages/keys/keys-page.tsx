import { useState } from "preact/hooks";

import { keyPage, type Key } from "../../api/keys.ts";
import { fullTime, instantOf } from "../../lib/format.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Once } from "../../parts/once.tsx";
import { Page as Frame } from "../../parts/page.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Empty } from "../../parts/states.tsx";
import { Tags } from "../../parts/tags.tsx";
import { Ago } from "../../parts/time.tsx";
import { usePages, type Pages } from "../../parts/use-pages.ts";
import { useLang, useTerms, useWords } from "../../parts/use-words.ts";
import { keysWords } from "../../words/keys.ts";
import { CreateKey, RevokeKey, RotateKey, type Told } from "./key-dialogs.tsx";

const EVERY_MS = 15_000;

const keyOf = ({ key_id }: Key): string => key_id;

type Asked = { what: "create" } | { what: "rotate" | "revoke"; of: Key };

function Retiring({ until }: { until: string | null }) {
  const say = useWords(keysWords);
  const lang = useLang();
  const at = instantOf(until);
  if (at === null || at < Date.now()) return null;
  return <span class="below">{say("retiring", { when: fullTime(at, lang) })}</span>;
}

function Buttons({ of, onAsk }: { of: Key; onAsk: (asked: Asked) => void }) {
  const say = useWords(keysWords);
  return (
    <span class="row key-acts">
      {(["rotate", "revoke"] as const).map((what) => (
        <button
          key={what}
          type="button"
          class="button small"
          aria-label={say(`${what}Of`, { name: of.name })}
          onClick={() => onAsk({ what, of })}
        >
          {say(what)}
        </button>
      ))}
    </span>
  );
}

function useColumns(onAsk: (asked: Asked) => void): readonly Column<Key>[] {
  const say = useWords(keysWords);
  const term = useTerms();
  return [
    {
      id: "name",
      title: say("name"),
      kind: "wide",
      cell: ({ name, key_id, retiring_until }) => (
        <>
          {name}
          <span class="below mono">{key_id}</span>
          <Retiring until={retiring_until} />
        </>
      ),
    },
    {
      id: "scopes",
      title: say("scopes"),
      cell: ({ scopes }) => <Tags of={scopes.map((scope) => term(scope))} />,
    },
    { id: "state", title: say("state"), cell: ({ state }) => <Term of={state} /> },
    {
      id: "expires",
      title: say("expires"),
      kind: "number",
      cell: ({ expires_at }) =>
        expires_at === null ? <span class="quiet">{say("never")}</span> : <Ago at={expires_at} />,
    },
    {
      id: "used",
      title: say("used"),
      kind: "number",
      cell: ({ last_used_at }) => <Ago at={last_used_at} />,
    },
    {
      id: "created",
      title: say("created"),
      kind: "number",
      cell: ({ created_at }) => <Ago at={created_at} />,
    },
    { id: "acts", title: say("actions"), cell: (row) => <Buttons of={row} onAsk={onAsk} /> },
  ];
}

function Asking(props: {
  of: Asked;
  onTold: (told: Told) => void;
  onDone: () => void;
  onClose: () => void;
}) {
  const { of, onTold, onDone, onClose } = props;
  if (of.what === "create") return <CreateKey onTold={onTold} onClose={onClose} />;
  if (of.what === "rotate") return <RotateKey of={of.of} onTold={onTold} onClose={onClose} />;
  return <RevokeKey of={of.of} onDone={onDone} onClose={onClose} />;
}

function List({ known, onAsk }: { known: Pages<Key>; onAsk: (asked: Asked) => void }) {
  const say = useWords(keysWords);
  const columns = useColumns(onAsk);
  return (
    <>
      <Paged
        known={known}
        caption={say("caption")}
        columns={columns}
        rowKey={keyOf}
        nothing={say("none")}
      />
      <p class="hint after">{say("usedHint")}</p>
    </>
  );
}

/** The keys of a tenant, for those who may see them. */
export function Page() {
  const say = useWords(keysWords);
  const known = usePages("/v1/keys", {}, keyPage, { keyOf, everyMs: EVERY_MS });
  const [asked, setAsked] = useState<Asked | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const isForbidden = known.problem?.status === 403;
  const create = !isForbidden && (
    <button type="button" class="button primary" onClick={() => setAsked({ what: "create" })}>
      {say("create")}
    </button>
  );
  return (
    <Frame title={say("title")} aside={create}>
      {isForbidden ? (
        <Empty>
          <p>
            <strong>{say("forbidden")}</strong>
          </p>
          <p>{say("forbiddenText")}</p>
        </Empty>
      ) : (
        <List known={known} onAsk={setAsked} />
      )}
      {asked !== null && (
        <Asking
          of={asked}
          onTold={(minted) => {
            setTold(minted);
            known.reload();
          }}
          onDone={known.reload}
          onClose={() => setAsked(null)}
        />
      )}
      {told !== null && (
        <Once
          title={say("keyTitle", { name: told.name })}
          secret={told.key}
          onClose={() => setTold(null)}
        />
      )}
    </Frame>
  );
}
