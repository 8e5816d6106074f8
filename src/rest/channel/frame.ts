import * as z from "zod";

import { channelFrameSchema } from "../../protocol/agent-channel.ts";
import type { ChannelFrame } from "../../protocol/agent-channel.ts";
import { faultsOf } from "../../protocol/faults.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { UPGRADER } from "../../protocol/upgrader.ts";
import { MAX_BODY_BYTES, parseText } from "../edge/body.ts";
import { faultsRefusal } from "../edge/validate.ts";
import { kindOf } from "../edge/version.ts";

/** A frame that breaks its schema: `message` is what it was read as. */
export interface RefusedFrame {
  kind: "refused";
  id: string;
  refusal: Refusal;
  message: unknown;
  warnings: string[];
}

/** What came: a frame; one that breaks its schema, to be answered; or what no answer could be given to. */
export type Parsed =
  | { kind: "frame"; frame: ChannelFrame; warnings: string[] }
  | RefusedFrame
  | { kind: "breach"; code: number; reason: string };

/** Close codes of RFC 6455 §7.4.1. */
const BREACH = { notText: 1_003, notJson: 1_007, notAFrame: 1_008, tooLarge: 1_009 } as const;

const KIND = kindOf(channelFrameSchema);

const identifiedSchema = z.object({ id: z.string().min(1).max(100) });

/**
 * One message of an executor's WebSocket, in the newest form whatever version the message inside it is of.
 *
 * A faulty frame that has an id is refused, every fault listed as over HTTP. Anything else breaks the protocol, and
 * the connection ends with the code and the reason given here.
 *
 * @param spoken the version that the connection was opened with, for messages that say none
 */
export function parseFrame(data: unknown, spoken: string | null): Parsed {
  if (typeof data !== "string") return breach(BREACH.notText, "frames are JSON text");
  if (data.length > MAX_BODY_BYTES || new TextEncoder().encode(data).length > MAX_BODY_BYTES) {
    return breach(BREACH.tooLarge, `a frame must not exceed ${MAX_BODY_BYTES} bytes`);
  }
  const json = parseText(data);
  if (!json.ok) return breach(BREACH.notJson, json.refusal.code);
  const { message, notices } = UPGRADER.upgrade(KIND, json.value, spoken);
  const warnings = notices.map(({ text }) => text);
  const parsed = channelFrameSchema.safeParse(message);
  if (parsed.success) return { kind: "frame", frame: parsed.data, warnings };
  const identified = identifiedSchema.safeParse(json.value);
  if (!identified.success) {
    return breach(BREACH.notAFrame, "not a frame: see channel_frame at /v1/schemas");
  }
  const refusal = faultsRefusal(faultsOf(parsed.error, message));
  return { kind: "refused", id: identified.data.id, refusal, message, warnings };
}

function breach(code: number, reason: string): Parsed {
  return { kind: "breach", code, reason };
}
