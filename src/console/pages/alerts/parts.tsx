import type { ComponentChildren } from "preact";

import type { Problem } from "../../api/problem.ts";
import { Empty } from "../../parts/states.tsx";
import { useWords } from "../../parts/use-words.ts";
import { alertsWords } from "../../words/alerts.ts";

/** What is there of alerts; where the server does not know them at all, that. */
export function Present(props: {
  known: { problem: Problem | null; value: unknown };
  children: ComponentChildren;
}) {
  const say = useWords(alertsWords);
  const { problem, value } = props.known;
  if (value !== null || problem?.status !== 404) return <>{props.children}</>;
  return (
    <Empty>
      <p>
        <strong>{say("missing")}</strong>
      </p>
      <p>{say("missingText")}</p>
    </Empty>
  );
}
