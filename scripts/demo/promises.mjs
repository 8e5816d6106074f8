/** What Batuta promises, checked against what really arrived. Each check says in plain words what is broken. */

const NOTIFICATIONS = [
  "task_started",
  "task_progress",
  "task_completed",
  "task_failed",
  "task_escalated",
  "agent_end_task",
];

const seqsOf = (items) => items.map(({ seq }) => seq);
const isSame = (left, right) => JSON.stringify(left) === JSON.stringify(right);
const listed = (items) => (items.length === 0 ? "none" : items.join(", "));

/** One promise: what it says, and what is wrong with it; nothing when it is kept. */
function promise(text, faults) {
  return { text, faults: faults.flat() };
}

function denseSeq({ log }) {
  const seqs = seqsOf(log);
  const wanted = log.map((_, index) => index + 1);
  return isSame(seqs, wanted) ? [] : [`the API lists seq ${listed(seqs)}`];
}

function sameInStream({ log, streamed }) {
  const faults = isSame(streamed, log) ? [] : ["an event differs between the API and the stream"];
  return isSame(seqsOf(streamed), seqsOf(log))
    ? faults
    : [`the stream brought seq ${listed(seqsOf(streamed))}`];
}

function sameInWebhooks({ log, webhooks }) {
  const key = ({ seq, type }) => `${seq} ${type}`;
  const wanted = log.filter(({ type }) => NOTIFICATIONS.includes(type)).map(key);
  const got = webhooks.map(key);
  return [
    ...wanted.filter((one) => !got.includes(one)).map((one) => `no webhook came for seq ${one}`),
    ...got.filter((one) => !wanted.includes(one)).map((one) => `a webhook came for seq ${one}`),
  ];
}

function inOrder({ webhooks }) {
  return webhooks.flatMap(({ seq, prev_seq }, index) => {
    const before = webhooks[index - 1]?.seq ?? null;
    return prev_seq === before && seq > (before ?? 0)
      ? []
      : [`seq ${seq} came after ${before ?? "nothing"} and names ${prev_seq} as the one before it`];
  });
}

function signed({ webhooks }) {
  return webhooks.flatMap(({ id, isSigned, isForgeryNoticed }) => [
    ...(isSigned ? [] : [`the signature of ${id} is wrong`]),
    ...(isForgeryNoticed ? [] : [`a changed copy of ${id} passes as genuine`]),
  ]);
}

function oneFinal({ webhooks }) {
  const finals = webhooks.filter(({ type }) => type === "agent_end_task");
  const isLast = webhooks.at(-1)?.type === "agent_end_task";
  return [
    ...(finals.length === 1 ? [] : [`${finals.length} final notifications came`]),
    ...(isLast ? [] : ["the final notification is not the last one"]),
  ];
}

function inHistory({ view, listedView }) {
  if (listedView === null) return ["the list of tasks does not contain it"];
  const fields = ["seq", "status", "phase", "end_reason", "notification_count"];
  return fields
    .filter((field) => listedView[field] !== view[field])
    .map((field) => `${field} is ${view[field]} in the task, ${listedView[field]} in the list`);
}

function ended({ view, report }) {
  return [
    ...(view.phase === "ended" ? [] : [`its phase is ${view.phase}`]),
    ...(view.status === "completed" ? [] : [`its status is ${view.status}`]),
    ...(report.finalization.problems.length === 0 ? [] : report.finalization.problems),
    ...report.cleanup_debt.map(({ what }) => `${what} was never released`),
  ];
}

/**
 * The promises that can be seen from outside, each with what broke it.
 *
 * @param lives what was seen of each task: `task_id`, `log`, `streamed`, `webhooks`, `view`, `listedView`,
 *   `report`
 */
export function promisesOf(lives) {
  const of = (check) =>
    lives.flatMap((life) => check(life).map((fault) => `${life.task_id}: ${fault}`));
  return [
    promise("seq counts 1, 2, 3 … without a gap", of(denseSeq)),
    promise("the stream brings the very events that the API lists", of(sameInStream)),
    promise("every notification came by webhook, under the same seq", of(sameInWebhooks)),
    promise("the webhooks came in order, and each names the one before it", of(inOrder)),
    promise("every signature is valid, and a changed copy is not", of(signed)),
    promise("there is exactly one final notification, the last of all", of(oneFinal)),
    promise("history has the task, as far as the task itself", of(inHistory)),
    promise("the task reached its end, and owes nothing", of(ended)),
  ];
}
