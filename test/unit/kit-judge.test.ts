import { describe, expect, it } from "vitest";

import type { Answer, Exchange, Kind } from "../../kit/exchange.ts";
import { answerWith, overloaded } from "../../kit/exchange.ts";
import {
  different,
  impatient,
  refusals,
  unfenced,
  unrepeated,
  within,
  writesAfter,
} from "../../kit/judge.ts";

const taken = answerWith(202, {});
const refusedAs = (code: string): Answer => answerWith(409, { code });

function exchange(kind: Kind, at: number, more: Partial<Exchange> = {}): Exchange {
  return {
    at,
    kind,
    method: "POST",
    path: "/v1/notifications",
    headers: {},
    body: null,
    task_id: "t",
    token: "one",
    message_id: `${kind}-1`,
    passed: [],
    answer: taken,
    answeredAt: at + 10,
    isCut: false,
    ...more,
  };
}

describe("a lost answer", () => {
  const lost = exchange("completed", 0, { answer: null, isCut: true });

  it.each([
    ["is made up for by the same message", [exchange("completed", 1_000)], []],
    ["is not made up for by silence", [], [/^completed was not sent again/]],
    [
      "is not made up for by the same fact under another id",
      [exchange("completed", 1_000, { message_id: "other" })],
      [/another notification_id/],
    ],
    ["is not made up for by another message", [exchange("failed", 1_000)], [/not sent again/]],
  ])("%s", (_what, later, expected) => {
    const faults = unrepeated([lost, ...later]);

    expect(faults).toEqual(expected.map((form) => expect.stringMatching(form)));
  });

  it("of a heartbeat needs nothing: the next one is due anyway", () => {
    expect(unrepeated([exchange("heartbeat", 0, { answer: null, isCut: true })])).toEqual([]);
  });
});

describe("Retry-After", () => {
  const isPutOff = ({ answer }: Exchange): boolean => answer?.status === 429;
  const off = exchange("progress", 0, { answer: overloaded(429, 2), answeredAt: 100 });

  it.each([
    ["is kept to the second", 2_100, []],
    ["is kept by a timer that rings a little early", 2_060, []],
    ["is not kept by half of it", 1_100, [/came again after 1\.00 s/]],
  ])("%s", (_what, at, expected) => {
    const faults = impatient([off, exchange("progress", at)], isPutOff, 2);

    expect(faults).toEqual(expected.map((form) => expect.stringMatching(form)));
  });

  it("is not kept by never coming again, and another message is no repetition", () => {
    const faults = impatient([off, exchange("heartbeat", 50)], isPutOff, 2);

    expect(faults).toEqual([expect.stringContaining("did not come again")]);
  });

  it("says when there was nothing to put off", () => {
    expect(impatient([exchange("progress", 0)], isPutOff, 2)).toHaveLength(1);
  });
});

describe("after a lease is lost", () => {
  const end = exchange("completed", 0, { answer: refusedAs("lease_lost") });

  it.each([
    ["silence is right", [], 0],
    ["the same message again is wrong", [exchange("completed", 20)], 1],
    ["a report of failure is wrong", [exchange("failed", 11)], 1],
    ["a heartbeat that crosses the refusal is none", [exchange("heartbeat", 200)], 0],
    ["a later heartbeat is wrong", [exchange("heartbeat", 400)], 1],
    ["another attempt may speak", [exchange("started", 400, { token: "two" })], 0],
    ["what came before may", [exchange("progress", 5)], 0],
  ])("%s", (_what, later, count) => {
    expect(writesAfter([end, ...later], ["lease_lost"])).toHaveLength(count);
  });

  it("another refusal says nothing of it", () => {
    const other = exchange("completed", 0, { answer: refusedAs("progress_regressed") });

    expect(writesAfter([other, exchange("completed", 400)], ["lease_lost"])).toEqual([]);
  });
});

describe("a plain life", () => {
  it("names what was refused, but a heartbeat that has crossed the end", () => {
    const ended = { answer: refusedAs("task_ended") };

    expect(refusals([exchange("progress", 0, ended)])).toEqual([
      "progress was refused: 409 task_ended",
    ]);
    expect(refusals([exchange("heartbeat", 0, ended), exchange("end", 1)])).toEqual([]);
  });

  it("names writes without a lease token, and asks none of an offer", () => {
    const bare = { token: null };

    expect(unfenced([exchange("heartbeat", 0, bare), exchange("offer", 0, bare)])).toEqual([
      "heartbeat came without a Lease-Token header",
    ]);
  });

  it("counts a repeated message once", () => {
    const all = [exchange("completed", 0), exchange("completed", 1), exchange("failed", 2)];

    expect(different(all, ["completed"])).toBe(1);
    expect(different(all, ["completed", "failed"])).toBe(2);
  });

  it("knows what began in a span of time", () => {
    const all = [exchange("progress", 5), exchange("progress", 10), exchange("heartbeat", 7)];

    expect(within(all, ["progress"], [5, 10]).map(({ at }) => at)).toEqual([10]);
  });
});
