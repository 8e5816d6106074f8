import type { JSX } from "preact";

import { routeTo } from "../../lib/route.ts";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { useWords } from "../../parts/use-words.ts";
import { Views } from "../../parts/views.tsx";
import { alertsWords } from "../../words/alerts.ts";
import { AlertList } from "./alert-list.tsx";
import { ChannelList } from "./channel-list.tsx";
import { RuleList } from "./rule-list.tsx";
import { SilenceList } from "./silence-list.tsx";

const VIEWS = ["alerts", "silences", "rules", "channels"] as const;
type View = (typeof VIEWS)[number];

const BODIES: Record<View, (props: { query: Record<string, string> }) => JSX.Element> = {
  alerts: AlertList,
  silences: SilenceList,
  rules: RuleList,
  channels: ChannelList,
};

/** Alerts, and what makes them, tells them and keeps them quiet. */
export function Page({ query }: PageProps) {
  const say = useWords(alertsWords);
  const view = VIEWS.find((one) => one === query["view"]) ?? "alerts";
  const Body = BODIES[view];
  return (
    <Frame title={say("title")}>
      <Views
        label={say("views")}
        of={VIEWS.map((one) => [one, say(one)] as const)}
        shown={view}
        href={(one) => routeTo("alerts", null, one === "alerts" ? {} : { view: one })}
      />
      <Body query={query} />
    </Frame>
  );
}
