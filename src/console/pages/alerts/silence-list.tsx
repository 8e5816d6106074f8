import { useState } from "preact/hooks";

import { silencePage, type Silence } from "../../api/alerts.ts";
import { Term } from "../../parts/badge.tsx";
import type { Column } from "../../parts/data-list.tsx";
import { Paged } from "../../parts/paged.tsx";
import { Ago } from "../../parts/time.tsx";
import { usePages } from "../../parts/use-pages.ts";
import { useWords } from "../../parts/use-words.ts";
import { alertsWords } from "../../words/alerts.ts";
import { LiftSilence, SilenceDialog } from "./alert-dialogs.tsx";
import { Present } from "./parts.tsx";

const EVERY_MS = 10_000;
const keyOf = ({ silence_id }: Silence): string => silence_id;

function useColumns(onLift: (id: string) => void): readonly Column<Silence>[] {
  const say = useWords(alertsWords);
  return [
    { id: "reason", title: say("reason"), kind: "wide", cell: ({ reason }) => reason },
    { id: "rule", title: say("rule"), cell: ({ rule_id }) => rule_id ?? say("allRules") },
    { id: "upTo", title: say("upTo"), cell: ({ max_severity }) => <Term of={max_severity} /> },
    { id: "by", title: say("by"), kind: "extra", cell: ({ created_by }) => created_by },
    { id: "ends", title: say("ends"), kind: "number", cell: ({ ends_at }) => <Ago at={ends_at} /> },
    {
      id: "acts",
      title: say("actions"),
      cell: ({ silence_id, reason }) => (
        <button
          type="button"
          class="button small"
          aria-label={say("liftOf", { reason })}
          onClick={() => onLift(silence_id)}
        >
          {say("lift")}
        </button>
      ),
    },
  ];
}

/** What nobody is told of at the moment. */
export function SilenceList() {
  const say = useWords(alertsWords);
  const [lifting, setLifting] = useState<string | null>(null);
  const [isSilencing, setSilencing] = useState(false);
  const columns = useColumns(setLifting);
  const known = usePages("/v1/silences", {}, silencePage, { keyOf, everyMs: EVERY_MS });
  return (
    <Present known={known}>
      <p class="page-tools">
        <button type="button" class="button" onClick={() => setSilencing(true)}>
          {say("silence")}
        </button>
      </p>
      <Paged
        known={known}
        caption={say("silencesCaption")}
        columns={columns}
        rowKey={keyOf}
        nothing={say("noSilences")}
      />
      {isSilencing && (
        <SilenceDialog ruleId="" onDone={known.reload} onClose={() => setSilencing(false)} />
      )}
      {lifting !== null && (
        <LiftSilence id={lifting} onDone={known.reload} onClose={() => setLifting(null)} />
      )}
    </Present>
  );
}
