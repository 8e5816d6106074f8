import { describe, expect, it } from "vitest";

import { isRoutedTo, type ChannelRouting } from "../../src/observe/alerts/routing.ts";
import { severitySchema } from "../../src/protocol/enums.ts";

const PAGER: Omit<ChannelRouting, "channel_id"> = {
  kind: "paging",
  severities: ["critical"],
  is_enabled: true,
  tells_resolved: true,
};

/** Channels as an operator may have them. */
const CHANNELS: Record<string, Omit<ChannelRouting, "channel_id">> = {
  pager: PAGER,
  mail: { ...PAGER, kind: "email", severities: ["error", "critical"] },
  chat: {
    ...PAGER,
    kind: "chat",
    severities: ["info", "warning", "error", "critical"],
    tells_resolved: false,
  },
  "cost-team": { ...PAGER, severities: ["warning", "error"], rule_ids: ["cost-unusual"] },
  "switched-off": {
    ...PAGER,
    severities: ["info", "warning", "error", "critical"],
    is_enabled: false,
  },
};

type Change = Parameters<typeof isRoutedTo>[2];

function toldOf(
  change: Change,
  { severity = "critical", rule_id = "tasks-failing", told = [] as string[] } = {},
): string[] {
  const alert = { rule_id, severity: severitySchema.parse(severity), told };
  return Object.entries(CHANNELS).flatMap(([channel_id, channel]) =>
    isRoutedTo({ ...channel, channel_id }, alert, change) ? [channel_id] : [],
  );
}

describe("the routing of alerts", () => {
  it.each([
    ["info", ["chat"]],
    ["warning", ["chat"]],
    ["error", ["mail", "chat"]],
    ["critical", ["pager", "mail", "chat"]],
  ])("tells of severity %s who has asked for it", (severity, told) => {
    expect(toldOf("fired", { severity })).toEqual(told);
  });

  it("tells of one rule who has asked for that one", () => {
    expect(toldOf("fired", { severity: "warning", rule_id: "cost-unusual" })).toEqual([
      "chat",
      "cost-team",
    ]);
  });

  it("tells of a beginning who has not been told of it", () => {
    expect(toldOf("fired", { told: ["pager", "chat"] })).toEqual(["mail"]);
  });

  it.each<[Change, string[]]>([
    ["resolved", ["pager", "mail", "switched-off"]],
    ["acknowledged", ["pager", "switched-off"]],
  ])(
    "tells that it is %s who was told of the beginning, whatever was changed since",
    (change, told) => {
      const all = Object.keys(CHANNELS).filter((id) => id !== "cost-team");

      expect(toldOf(change, { severity: "info", rule_id: "another", told: all })).toEqual(told);
      expect(toldOf(change)).toEqual([]);
    },
  );
});
