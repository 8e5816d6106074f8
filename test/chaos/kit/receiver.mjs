/** A receiver that does all the conformance kit asks for. BREAK names the one thing that it does wrong. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

import { Webhook } from "standardwebhooks";

const { PORT, WEBHOOK_SECRET, BREAK } = process.env;
const breaks = (what) => BREAK === what;
const webhook = new Webhook(WEBHOOK_SECRET);
const seen = new Set();
const newest = new Map();
let open = 0;

/** The signatures of a request, by hand: without its time. */
function isSignedAtAnyTime(body, headers) {
  const key = Buffer.from(WEBHOOK_SECRET.slice("whsec_".length), "base64");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const wanted = `v1,${createHmac("sha256", key).update(content).digest("base64")}`;
  return (headers["webhook-signature"] ?? "").split(" ").includes(wanted);
}

function isSigned(body, headers) {
  if (breaks("looks at no time")) return isSignedAtAnyTime(body, headers);
  const one = headers["webhook-signature"]?.split(" ") ?? [];
  if (breaks("knows one signature") && one.length > 1) return false;
  const off = Math.abs(Date.now() / 1_000 - Number(headers["webhook-timestamp"]));
  if (breaks("looks at no signature")) return off < 300;
  if (breaks("wants exact clocks") && off > 30) return false;
  try {
    webhook.verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

function refuses(message) {
  const { task_id, seq } = message.data;
  if (breaks("refuses unknown fields") && "added_later" in message) return true;
  if (!breaks("wants its order")) return false;
  const before = newest.get(task_id);
  newest.set(task_id, seq);
  return before !== undefined && seq !== before && seq !== before + 1;
}

async function statusFor(request) {
  const body = await buffer(request);
  const { headers } = request;
  if (breaks("has no room") && open > 10) return 503;
  if (!isSigned(body, headers)) return 401;
  const id = headers["webhook-id"];
  const message = JSON.parse(body.toString());
  if (refuses(message)) return 422;
  if (seen.has(id) && !breaks("acts again")) return 204;
  if (breaks("looks before it writes")) await pause(50);
  seen.add(id);
  console.log(message.type, message.data.task_id, message.data.seq);
  return 204;
}

async function receive(request, response) {
  open += 1;
  const status = await statusFor(request);
  if (breaks("has no room")) await pause(20);
  open -= 1;
  response.writeHead(status).end();
}

createServer((request, response) => {
  receive(request, response).catch((error) => response.destroy(error));
}).listen(Number(PORT), "127.0.0.1");
