import type { Asked } from "../providers.ts";
import type { ReceivedRequest } from "../received.ts";
import { bodyText } from "./receiver.ts";

/** A request as a provider reads it. */
export function asked(request: ReceivedRequest | undefined): Asked {
  if (request === undefined) throw new Error("nothing arrived");
  return { ...request, body: bodyText(request) };
}
