// Receives webhooks: npm install standardwebhooks, then WEBHOOK_SECRET=whsec_… node receiver.mjs
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const seen = new Set(); // a database table in real life

createServer(async (request, response) => {
  const body = await buffer(request);
  try {
    webhook.verify(body, request.headers); // the bytes as they came, before any parsing
  } catch {
    return response.writeHead(401).end();
  }
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    const { type, data } = JSON.parse(body);
    console.log(type, data.task_id, `seq ${data.seq} after ${data.prev_seq}`);
    seen.add(id); // the same notification may come again, under the same id
  }
  response.writeHead(204).end();
}).listen(process.env.PORT ?? 9000, "127.0.0.1");
