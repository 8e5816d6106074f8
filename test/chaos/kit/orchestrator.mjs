/** An orchestrator that submits one task. BREAK names the one thing that it does wrong. */
import { setTimeout as pause } from "node:timers/promises";

const { BATUTA_URL, BATUTA_KEY, BREAK } = process.env;
const breaks = (what) => BREAK === what;
const body = JSON.stringify({
  task_type: "general",
  description: "A task that an orchestrator of the tests submits",
  requires: { capabilities: ["kit_orchestrator"] },
});
let key = breaks("names nothing") ? undefined : crypto.randomUUID();

for (let tries = 0; ; tries += 1) {
  let wait = 0.3;
  try {
    const answer = await fetch(`${BATUTA_URL}/v1/tasks`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${BATUTA_KEY}`,
        "content-type": "application/json",
        ...(key !== undefined && { "idempotency-key": key }),
      },
      body,
    });
    await answer.text();
    const isUnexpected = answer.status === 200 && tries === 0 && breaks("knows only 202");
    if (answer.ok && !isUnexpected) break;
    if (answer.status < 500 && answer.status !== 429) process.exit(1);
    if (!breaks("ignores Retry-After")) wait = Number(answer.headers.get("retry-after") ?? wait);
  } catch {
    // No answer: the same again.
    if (breaks("fresh key on retry")) key = crypto.randomUUID();
  }
  await pause(wait * 1_000);
}
