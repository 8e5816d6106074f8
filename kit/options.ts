import { parseArgs } from "node:util";

import { z } from "zod";

/** What the kit was asked for. */
export interface Options {
  /** Batuta; null for one of the kit's own. */
  url: string | null;
  key: string | null;
  json: boolean;
  only: readonly string[];
  skip: readonly string[];
  list: boolean;
  help: boolean;
  patienceMs: number;
  heartbeat_timeout: number;
  executor: {
    start: string | null;
    /** Whether it is started by somebody else. */
    isAwaited: boolean;
    agent_id: string | null;
    port: number;
    publicUrl: string | null;
    task: Record<string, unknown>;
  };
  receiver: {
    url: string | null;
    start: string | null;
    secret: string | null;
    effects: string | null;
  };
  orchestrator: { start: string | null };
}

/** The command line does not say what is to be done. */
export class Misuse extends Error {}

const FLAGS = {
  url: { type: "string" },
  key: { type: "string" },
  start: { type: "string" },
  executor: { type: "boolean", default: false },
  agent: { type: "string" },
  port: { type: "string", default: "0" },
  "public-url": { type: "string" },
  task: { type: "string" },
  receiver: { type: "string" },
  "start-receiver": { type: "string" },
  "receiver-secret": { type: "string" },
  effects: { type: "string" },
  "start-orchestrator": { type: "string" },
  patience: { type: "string", default: "15" },
  lease: { type: "string", default: "3" },
  only: { type: "string" },
  skip: { type: "string" },
  json: { type: "boolean", default: false },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** How to call the kit. */
export const USAGE = `npm run kit -- [options]: tries a program of yours against Batuta, and says what it does wrong.

Batuta
  --url <url> --key <key>       a running one, and a key with scopes orchestrate and execute, or admin;
                                without --url the kit starts one of its own, with fresh state
An executor
  --start "<command>"           the kit starts it, with BATUTA_URL, BATUTA_KEY, AGENT_ID and PORT in its environment
  --executor                    you start it: the kit says where it is to find Batuta, and waits for it
  --agent <id>                  its agent_id (made up for --start; else the first that comes)
  --task <json>                 what it can do, as fields of task_execution; default: a text as input_data
  --port <port>                 of the address that the executor speaks to; default any
  --public-url <url>            of that address, where Batuta is on another machine and pushes tasks
A webhook receiver
  --receiver <url> --receiver-secret <whsec_…>   one that runs
  --start-receiver "<command>"  the kit starts it, with PORT and WEBHOOK_SECRET in its environment
  --effects <url with {task_id}>  answers with how often it acted on a task's notifications (a number);
                                without it the lines are counted that a started receiver writes about the task
An orchestrator
  --start-orchestrator "<command>"  submits a task or more and ends with status 0; run once a check, with BATUTA_URL
                                and BATUTA_KEY in its environment
How
  --only <ids> --skip <ids>     checks, separated by commas; --list names them
  --patience <s>                that a program has for its next step; default 15
  --lease <s>                   heartbeat_timeout of the kit's tasks; default 3
  --json                        the report as JSON

Exits with 0 when no check failed, 1 when one did, 2 when it could not be tried.
`;

/** What an executor is asked to do where nothing else is said. */
const DEFAULT_TASK = {
  parameters: {
    input_data: { text: "I am large, I contain multitudes. Do I contradict myself?" },
  },
};

function numberIn(text: string, name: string, [least, most]: readonly [number, number]): number {
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || number < least || number > most) {
    throw new Misuse(`--${name} must be a number from ${least} to ${most}, not "${text}".`);
  }
  return number;
}

function taskIn(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return DEFAULT_TASK;
  let task: unknown;
  try {
    task = JSON.parse(text);
  } catch {
    throw new Misuse(`--task must be JSON, not ${text.slice(0, 100)}`);
  }
  const read = z.record(z.string(), z.unknown()).safeParse(task);
  if (!read.success)
    throw new Misuse("--task must be a JSON object with fields of task_execution.");
  return read.data;
}

function urlIn(text: string | undefined, name: string): string | null {
  if (text === undefined) return null;
  if (!URL.canParse(text) || !/^https?:/.test(text)) {
    throw new Misuse(`--${name} must be an http or https URL, not "${text}".`);
  }
  return text;
}

function listIn(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((word) => word !== "");
}

function valuesIn(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

/**
 * What the command line asks for.
 *
 * @throws Misuse naming what is wrong and what would be right
 */
export function optionsIn(args: readonly string[]): Options {
  const values = valuesIn(args);
  const receiverSecret = values["receiver-secret"] ?? null;
  if (receiverSecret !== null && !/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(receiverSecret)) {
    throw new Misuse("--receiver-secret must be whsec_ and base64.");
  }
  const options: Options = {
    url: urlIn(values.url, "url"),
    key: values.key ?? null,
    json: values.json,
    only: listIn(values.only),
    skip: listIn(values.skip),
    list: values.list,
    help: values.help,
    patienceMs: numberIn(values.patience, "patience", [1, 600]) * 1_000,
    heartbeat_timeout: Math.ceil(numberIn(values.lease, "lease", [1, 60])),
    executor: {
      start: values.start ?? null,
      isAwaited: values.executor,
      agent_id: values.agent ?? null,
      port: numberIn(values.port, "port", [0, 65_535]),
      publicUrl: urlIn(values["public-url"], "public-url"),
      task: taskIn(values.task),
    },
    receiver: {
      url: urlIn(values.receiver, "receiver"),
      start: values["start-receiver"] ?? null,
      secret: receiverSecret,
      effects: values.effects ?? null,
    },
    orchestrator: { start: values["start-orchestrator"] ?? null },
  };
  return checked(options);
}

/** Refuses what does not fit together. */
function checked(options: Options): Options {
  if (options.help || options.list) return options;
  const { executor, receiver, orchestrator, url, key } = options;
  const programs = [executor.start, receiver.url, receiver.start, orchestrator.start];
  if (!executor.isAwaited && programs.every((program) => program === null)) {
    throw new Misuse(
      "Say what to try: --start or --executor, --receiver or --start-receiver, --start-orchestrator.",
    );
  }
  if (url !== null && key === null) throw new Misuse("--url needs --key.");
  refuseUnfit(receiver);
  return options;
}

function refuseUnfit({ url, start, secret, effects }: Options["receiver"]): void {
  if (start === null && url !== null && secret === null) {
    throw new Misuse("--receiver needs --receiver-secret, which it verifies with.");
  }
  if (effects !== null && !effects.includes("{task_id}")) {
    throw new Misuse("--effects must have {task_id} in it, in whose place the kit puts a task.");
  }
}
