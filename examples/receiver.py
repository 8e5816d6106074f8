"""Receives webhooks: pip install standardwebhooks, then WEBHOOK_SECRET=whsec_… python3 receiver.py"""
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
seen = set()  # a database table in real life


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:  # the bytes as they came, before any parsing
            webhook.verify(body, {name.lower(): value for name, value in self.headers.items()})
        except WebhookVerificationError:
            return self.answer(401)
        if self.headers["webhook-id"] not in seen:
            message = json.loads(body)
            print(message["type"], message["data"]["task_id"], "seq", message["data"]["seq"])
            seen.add(self.headers["webhook-id"])  # it may come again, under the same id
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 9000))), Receiver).serve_forever()
