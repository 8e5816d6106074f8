import { ok } from "../../src/lib/result.ts";
import type { ChannelAnswer } from "../../src/protocol/agent-channel.ts";
import { AgentChannel } from "../../src/rest/channel/agent-channel.ts";
import type { RestPorts } from "../../src/rest/ports.ts";
import { assignedTask } from "../assigned-task.ts";
import { PERMIT } from "./rest-fakes.ts";

/* One connection on a socket and ports of the test's own. */

type Claim = RestPorts["agents"]["claim"];
type Claimed = Awaited<ReturnType<Claim>>;

const BY = { key_id: "k1", tenant: "acme", scopes: ["execute"] as const, isBootstrap: false };
const LEASE = { token: "tok-1", attempt: 1, expires_at: "2026-11-22T10:00:00.000Z" };
/** What a claim brings. */
export const brought = (...ids: string[]): Claimed =>
  ok({ tasks: ids.map((task_id) => ({ task: assignedTask(task_id), lease: LEASE })) });

/** The last word on a task. */
export function ended(task_id: string) {
  return { type: "end", id: task_id, task_id, lease_token: "tok-1", end: END };
}
const END = { task_id: "t1", agent_id: "ann", reason: "cancelled", timestamp: LEASE.expires_at };

/** A connection, what was said on it and what its ports were asked. */
export function connection(
  given: {
    end?: RestPorts["tasks"]["end"];
    draw?: RestPorts["limits"]["draw"];
    isStillGood?: () => Promise<boolean>;
  } = {},
) {
  let now = 0;
  const said: ChannelAnswer[] = [];
  const closes: unknown[][] = [];
  const declined: unknown[][] = [];
  const lines: string[] = [];
  const withheld: unknown[] = [];
  const noted: object[] = [];
  const claims: {
    request: Parameters<Claim>[2];
    manner: Parameters<Claim>[3];
    answer: (claimed: Claimed) => void;
    fail: (cause: Error) => void;
  }[] = [];
  const listeners = new Map<string, (event: { data: unknown }) => void>();
  let isGone = false;
  const socket = {
    send: (text: string) => {
      if (isGone) throw new Error("the socket is closed");
      said.push(JSON.parse(text));
    },
    close: (...parameters: unknown[]) => closes.push(parameters),
    addEventListener: (type: string, listener: (event: { data: unknown }) => void) =>
      listeners.set(type, listener),
  };
  const unexpected = () => Promise.reject(new Error("unexpected call"));
  const tasks: Pick<RestPorts["tasks"], "decline" | "end"> = {
    decline: async (_by, ...parameters) => {
      declined.push(parameters);
      return ok(null);
    },
    end: given.end ?? unexpected,
  };
  const claim: Claim = (_by, _agent_id, request, manner) =>
    new Promise((answer, fail) => {
      claims.push({ request, manner, answer, fail });
    });
  const channel = new AgentChannel(socket, {
    by: BY,
    agent_id: "ann",
    requestId: "r1",
    version: null,
    isStillGood: given.isStillGood ?? (async () => true),
    ports: {
      now: () => now,
      limits: { draw: given.draw ?? (async () => PERMIT) } as RestPorts["limits"],
      log: (_level, event) => lines.push(event),
      agents: { claim } as RestPorts["agents"],
      tasks: tasks as RestPorts["tasks"],
      notes: { list: unexpected, get: unexpected, put: unexpected, remove: unexpected },
      validations: {
        micros: () => 0,
        note: ({ detail, ...report }) => void noted.push({ ...report, ...detail() }),
        withheld: async ({ route, detail }) => void withheld.push([route, detail().errors]),
        list: unexpected,
        get: unexpected,
        summary: unexpected,
      },
    },
    keepAlive: () => {},
  });
  channel.open();
  return {
    said,
    closes,
    declined,
    claims,
    lines,
    withheld,
    noted,
    say: (frame: object) => listeners.get("message")?.({ data: JSON.stringify(frame) }),
    leave: () => listeners.get("close")?.({ data: null }),
    vanish: () => (isGone = true),
    wait: (ms: number) => {
      now += ms;
      channel.tick();
    },
    types: () => said.map(({ type }) => type),
  };
}
