import type { ReceivedRequest, ScriptedReply } from "../received.ts";

/** A mailbox on the test's side of the internet, to be used as a webhook's or a push executor's address. */
export interface Receiver {
  /** Address to register; any path below it arrives in the same mailbox. */
  url: string;
  /** Replaces the replies: one per request, the last one repeats. Without a script every reply is 200. */
  script: (replies: ScriptedReply[]) => Promise<void>;
  /** What has arrived so far, in order. */
  log: () => Promise<ReceivedRequest[]>;
}

/**
 * Opens an empty mailbox, which no other test knows.
 *
 * @param host name below `receiver.test`, for what depends on the host
 */
export function newReceiver(host = "hooks"): Receiver {
  const id = crypto.randomUUID();
  return {
    url: `https://${host}.receiver.test/r/${id}`,
    script: async (replies) => {
      await fetch(`https://receiver.test/script/${id}`, {
        method: "PUT",
        body: JSON.stringify(replies),
      });
    },
    log: async () => {
      const response = await fetch(`https://receiver.test/log/${id}`);
      return response.json();
    },
  };
}

/** The raw bytes of a received body, compressed ones as they came. */
export function bodyBytes(request: ReceivedRequest): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(request.body_base64), (character) => character.codePointAt(0) ?? 0);
}

/** The raw bytes of a received body as text. */
export function bodyText(request: ReceivedRequest): string {
  return new TextDecoder().decode(bodyBytes(request));
}

/** A received gzip body as the text it was made of. */
export async function gunzippedText(request: ReceivedRequest): Promise<string> {
  const compressed = new Blob([bodyBytes(request)]).stream();
  return new Response(compressed.pipeThrough(new DecompressionStream("gzip"))).text();
}
