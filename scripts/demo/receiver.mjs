/** A webhook receiver: verifies every request with the reference library and keeps what came, in order. */
import { createServer } from "node:http";

import { Webhook } from "standardwebhooks";

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function accepts(webhook, body, headers) {
  try {
    webhook.verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

/** Whether a receiver that was sent something else under this signature would notice. */
function noticesForgery(webhook, body, headers) {
  return !accepts(webhook, body.replace('"seq":', '"seq": '), headers);
}

async function record({ received, secret }, request) {
  const receivedAt = Date.now();
  const { headers } = request;
  const body = await bodyOf(request);
  const webhook = new Webhook(secret);
  const { type, timestamp, data } = JSON.parse(body);
  received.push({
    id: headers["webhook-id"],
    attempt: Number(headers["x-attempt"]),
    type,
    task_id: data.task_id,
    seq: data.seq,
    prev_seq: data.prev_seq,
    isSigned: accepts(webhook, body, headers),
    isForgeryNoticed: noticesForgery(webhook, body, headers),
    latencyMs: receivedAt - Date.parse(timestamp),
  });
}

/** Listens on a free port. `secret` has to be set before anything arrives; `fault` is what went wrong here. */
export async function startReceiver() {
  const received = [];
  const receiver = { received, secret: null, fault: null };
  const server = createServer((request, response) => {
    record(receiver, request).then(
      () => response.writeHead(204).end(),
      (error) => {
        receiver.fault = error;
        response.writeHead(500).end();
      },
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  receiver.url = `http://127.0.0.1:${server.address().port}/webhooks`;
  receiver.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return receiver;
}
