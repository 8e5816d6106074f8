import { codeOf, NOTIFICATION_KINDS, WRITE_KINDS } from "./exchange.ts";
import type { Exchange, Kind } from "./exchange.ts";

/* What may be said against a list of exchanges. Pure: each rule returns its complaints, none where all is well. */

/** What crosses an answer on its way belongs to the time before it; milliseconds. */
export const GRACE_MS = 300;

/** A timer may ring this much early, milliseconds. */
const TIMER_SLACK_MS = 50;

/** Answered with a status of 400 or more. A heartbeat that has crossed the end of its task may be. */
export function refusals(exchanges: readonly Exchange[]): string[] {
  return exchanges
    .filter(({ answer }) => (answer?.status ?? 0) >= 400)
    .filter(({ kind, answer }) => kind !== "heartbeat" || codeOf(answer) !== "task_ended")
    .map(({ kind, answer }) => `${kind} was refused: ${answer?.status} ${codeOf(answer) ?? ""}`);
}

/** Written without the lease token. */
export function unfenced(exchanges: readonly Exchange[]): string[] {
  return exchanges
    .filter(({ kind, token }) => WRITE_KINDS.includes(kind) && token === null)
    .map(({ kind }) => `${kind} came without a Lease-Token header`);
}

/**
 * Writes that go on although a refusal has said that they are in vain.
 *
 * @param codes the refusals that say so
 * @param kinds what must not come any more, from the same lease
 */
export function writesAfter(
  exchanges: readonly Exchange[],
  codes: readonly string[],
  kinds: readonly Kind[] = WRITE_KINDS,
): string[] {
  const last = exchanges.find(
    ({ answer }) =>
      answer !== null && answer.status === 409 && codes.includes(codeOf(answer) ?? ""),
  );
  if (last?.answeredAt == null) return [];
  const heard = last.answeredAt;
  // Heartbeats have a rhythm of their own, and may cross the refusal. All else follows from it.
  const from = (kind: Kind): number => (kind === "heartbeat" ? heard + GRACE_MS : heard);
  return exchanges
    .filter(({ at, kind }) => at > from(kind) && kinds.includes(kind))
    .filter(({ token }) => token === last.token)
    .map(({ kind, at }) => {
      const seconds = ((at - heard) / 1_000).toFixed(1);
      return `${kind} came ${seconds} s after ${last.kind} was answered 409 ${codeOf(last.answer)}`;
    });
}

/** Exchanges of some kinds that began in a span of time, epoch milliseconds. */
export function within(
  exchanges: readonly Exchange[],
  kinds: readonly Kind[],
  [from, to]: readonly [number, number],
): Exchange[] {
  return exchanges.filter(({ at, kind }) => kinds.includes(kind) && at > from && at <= to);
}

/**
 * Of each message whose answer was lost, whether it came again as the same message.
 *
 * Heartbeats are left out: the next one is due anyway.
 */
export function unrepeated(exchanges: readonly Exchange[]): string[] {
  return exchanges.flatMap((lost, index) => {
    if (!lost.isCut || lost.kind === "heartbeat") return [];
    const later = exchanges.slice(index + 1).filter(({ kind }) => kind === lost.kind);
    if (later.some(({ message_id }) => message_id === lost.message_id)) return [];
    return later.length === 0
      ? [`${lost.kind} was not sent again after its answer was lost`]
      : [
          `${lost.kind} was sent again under another notification_id: the same fact would count twice`,
        ];
  });
}

/**
 * Whether what was put off with `Retry-After` waited so long, and came again.
 *
 * @param seconds what Retry-After said
 */
export function impatient(
  exchanges: readonly Exchange[],
  isPutOff: (exchange: Exchange) => boolean,
  seconds: number,
): string[] {
  const index = exchanges.findIndex(isPutOff);
  const off = exchanges[index];
  if (off?.answeredAt == null) return ["nothing came that could be put off"];
  const next = exchanges.slice(index + 1).find(({ kind }) => kind === off.kind);
  const what = `${off.kind} was answered ${off.answer?.status} with Retry-After: ${seconds}`;
  if (next === undefined) return [`${what}, and did not come again`];
  const waitedMs = next.at - off.answeredAt;
  return waitedMs >= seconds * 1_000 - TIMER_SLACK_MS
    ? []
    : [`${what}, and came again after ${(waitedMs / 1_000).toFixed(2)} s`];
}

/** How many different messages of some kinds there were: a repeated one counts once. */
export function different(exchanges: readonly Exchange[], kinds: readonly Kind[]): number {
  return new Set(
    exchanges.filter(({ kind }) => kinds.includes(kind)).map(({ message_id }) => message_id),
  ).size;
}

/** A notification of this attempt that is not its first word. */
export function isLaterWord({ kind }: Exchange): boolean {
  return kind !== "started" && NOTIFICATION_KINDS.includes(kind);
}
