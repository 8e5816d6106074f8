import { describe, expect, it } from "vitest";

import { isRoutedTo, type ChannelRouting } from "../../src/observe/alerts/routing.ts";
import { severitySchema } from "../../src/protocol/enums.ts";

const PAGER: ChannelRouting = {
  severities: ["critical"],
  is_enabled: true,
  tells_resolved: true,
};

/** Channels as an operator may have them. */
const CHANNELS: Record<string, ChannelRouting> = {
  pager: PAGER,
  mail: { ...PAGER, severities: ["error", "critical"] },
  chat: { ...PAGER, severities: ["info", "warning", "error", "critical"], tells_resolved: false },
  "cost-team": { ...PAGER, severities: ["warning", "error"], rule_ids: ["cost-unusual"] },
  "switched-off": {
    ...PAGER,
    severities: ["info", "warning", "error", "critical"],
    is_enabled: false,
  },
};

function toldOf(severity: string, rule_id: string, change: "fired" | "resolved"): string[] {
  const alert = { rule_id, severity: severitySchema.parse(severity) };
  return Object.entries(CHANNELS).flatMap(([name, channel]) =>
    isRoutedTo(channel, alert, change) ? [name] : [],
  );
}

describe("the routing of alerts", () => {
  it.each([
    ["info", ["chat"]],
    ["warning", ["chat"]],
    ["error", ["mail", "chat"]],
    ["critical", ["pager", "mail", "chat"]],
  ])("tells of severity %s who has asked for it", (severity, told) => {
    expect(toldOf(severity, "tasks-failing", "fired")).toEqual(told);
  });

  it("tells of one rule who has asked for that one", () => {
    expect(toldOf("warning", "cost-unusual", "fired")).toEqual(["chat", "cost-team"]);
  });

  it("tells of the end who wants to hear of ends", () => {
    expect(toldOf("critical", "tasks-failing", "resolved")).toEqual(["pager", "mail"]);
  });
});
