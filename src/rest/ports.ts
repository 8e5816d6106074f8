import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { AgentEndTask } from "../protocol/agent-end-task.ts";
import type {
  AgentRegistration,
  AgentView,
  ClaimRequest,
  CommandEntry,
  CommandRequest,
  CommandView,
  Heartbeat,
  Lease,
  OpenCommand,
} from "../protocol/agent.ts";
import type { Notification } from "../protocol/notification.ts";
import type { PoolSnapshot } from "../protocol/pool-snapshot.ts";
import type { EscalationsQuery, StatusRequest } from "../protocol/queries.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type {
  EndReceipt,
  Escalation,
  EscalationResolution,
  Explanation,
  NotificationReceipt,
  Report,
  TaskEvent,
  TaskView,
} from "../protocol/task-view.ts";
import type {
  FilterTest,
  FilterVerdict,
  Poll,
  Recovery,
  RecoveryMatch,
  RecoveryRequest,
  TaskDeliveries,
  WebhookStats,
} from "../protocol/webhook-operations.ts";
import type {
  DeliveryView,
  WebhookPatch,
  WebhookRegistration,
  WebhookView,
} from "../protocol/webhook.ts";
import type { AuditPort, TrailPort } from "./audit-ports.ts";
import type { BatchPort, RequestPort } from "./batch-ports.ts";
import type { DebtPort } from "./debt-port.ts";
import type { ChannelSocket, EndedAttempt, Reception, SignedMessage } from "./executor-ports.ts";
import type { KeyPort } from "./key-port.ts";
import type { LimitPort } from "./limit-port.ts";
import type { MemoryPort } from "./memory-port.ts";
import type { MeterPort } from "./meter-port.ts";
import type { ModelDecisionPort } from "./model-decision-port.ts";
import type { ModelPort } from "./model-port.ts";
import type { NotesPort } from "./notes-port.ts";
import type { FollowUpPort, ObservePort } from "./observe-ports.ts";
import type { OutskirtPorts } from "./offender-ports.ts";
import type { RatingPort } from "./rating-port.ts";
import type { SubtaskPort } from "./subtask-port.ts";
import type { ValidationPort } from "./validation-port.ts";

/* What the REST face needs from the rooms. services.ts builds it; this face decides nothing. */

/** An answer that may be refused. */
type Answer<Value> = Promise<Result<Value, Refusal>>;

/** One page of a list. */
export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/** What the stream needs of a WebSocket that is not accepted yet; the platform's own satisfies it. */
export interface EventSocket {
  accept(): void;
  close(code: number, reason: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
}

/** Tasks, as orchestrators and executors use them. */
export interface TaskPort {
  submit(
    by: Principal,
    task: TaskExecution,
    request: { body: unknown; idempotencyKey: string | null; traceId: string; origin: string },
  ): Answer<{ view: TaskView; isNew: boolean }>;
  view(by: Principal, task_id: string): Answer<TaskView>;
  list(tenant: string, query: StatusRequest): Answer<Page<TaskView>>;
  events(
    by: Principal,
    task_id: string,
    page: { after: number; limit: number },
  ): Answer<Page<TaskEvent>>;
  /** A socket on which the task's object sends one event as JSON text per message, from `after` on. */
  watch(by: Principal, task_id: string, after: number): Answer<EventSocket>;
  command(by: Principal, task_id: string, request: CommandRequest): Answer<CommandView>;
  commands(by: Principal, task_id: string): Answer<Page<CommandEntry>>;
  report(by: Principal, task_id: string): Answer<Report>;
  explain(by: Principal, task_id: string): Answer<Explanation>;
  decline(by: Principal, task_id: string, lease: string | null, reason: string): Answer<null>;
  heartbeat(
    by: Principal,
    task_id: string,
    lease: string | null,
    beat: Heartbeat,
  ): Answer<{ lease: Lease; commands: OpenCommand[] }>;
  notify(
    by: Principal,
    lease: string | null,
    notification: Notification,
  ): Answer<{ receipt: NotificationReceipt } & Reception>;
  end(
    by: Principal,
    task_id: string,
    lease: string | null,
    end: AgentEndTask,
  ): Answer<{ receipt: EndReceipt } & Reception>;
  /** Sends the whole log of a task to history again. */
  rebuild(by: Principal, task_id: string): Answer<{ seq: number }>;
}

/** Questions that tasks wait for an answer to. */
interface EscalationPort {
  /** With the scope execute alone: those that agents may answer. */
  list(by: Principal, query: EscalationsQuery): Answer<Page<Escalation>>;
  get(by: Principal, escalation_id: string): Answer<Escalation>;
  resolve(by: Principal, escalation_id: string, answer: EscalationResolution): Answer<Escalation>;
}

/** Executors. */
interface AgentPort {
  /** `origin`: scheme, host and port by which the request came. */
  put(
    by: Principal,
    agent_id: string,
    registration: AgentRegistration,
    origin: string,
  ): Answer<AgentView>;
  get(tenant: string, agent_id: string): Answer<AgentView>;
  list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<Page<AgentView>>;
  remove(by: Principal, agent_id: string): Answer<null>;
  /** Whether this key may claim for the executor. */
  mayClaim(by: Principal, agent_id: string): Answer<null>;
  /** `signal`: aborted when nobody waits for the answer any more. */
  claim(
    by: Principal,
    agent_id: string,
    request: ClaimRequest,
    manner?: { signal?: AbortSignal | undefined; releasing?: EndedAttempt | undefined },
  ): Answer<{ tasks: { task: unknown; lease: Lease }[] }>;
  /** Who signed a message; null when it was not this executor. */
  signer(tenant: string, agent_id: string, message: SignedMessage): Promise<Principal | null>;
  rotateSecret(by: Principal, agent_id: string, overlapSeconds: number): Answer<AgentView>;
  drain(by: Principal, agent_id: string, isDraining: boolean): Answer<AgentView>;
  snapshot(tenant: string, pool: string): Answer<PoolSnapshot>;
}

/** Webhook endpoints and their deliveries. */
interface WebhookPort {
  /** `origin`: scheme, host and port by which the request came. */
  create(by: Principal, registration: WebhookRegistration, origin: string): Answer<WebhookView>;
  list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<Page<WebhookView>>;
  get(tenant: string, webhook_id: string): Answer<WebhookView>;
  patch(
    by: Principal,
    webhook_id: string,
    patch: WebhookPatch,
    origin: string,
  ): Answer<WebhookView>;
  /** Sends the challenge again. */
  verify(by: Principal, webhook_id: string): Answer<WebhookView>;
  remove(by: Principal, webhook_id: string): Answer<null>;
  rotateSecret(by: Principal, webhook_id: string, overlapSeconds: number): Answer<WebhookView>;
  setPaused(by: Principal, webhook_id: string, isPaused: boolean): Answer<WebhookView>;
  /** Sends a test notification through the endpoint's own path. */
  test(by: Principal, webhook_id: string): Answer<DeliveryView>;
  deliveries(
    tenant: string,
    webhook_id: string,
    query: {
      state?: DeliveryView["state"] | undefined;
      task_id?: string | undefined;
      cursor?: string | undefined;
      limit: number;
    },
  ): Answer<Page<DeliveryView>>;
  delivery(tenant: string, delivery_id: string): Answer<DeliveryView>;
  replay(by: Principal, delivery_id: string): Answer<DeliveryView>;
  callbackSecret(tenant: string): Promise<{ secret: string }>;
  rotateCallbackSecret(by: Principal, overlapSeconds: number): Promise<{ secret: string }>;
}

/** What an operator asks of an endpoint's deliveries as a whole. */
interface OperationPort {
  /** How the endpoint has done in the last `window` seconds. */
  stats(tenant: string, webhook_id: string, window: number): Answer<WebhookStats>;
  poll(
    tenant: string,
    webhook_id: string,
    query: { after: number; limit: number; wait: number },
  ): Answer<Poll>;
  recover(
    by: Principal,
    webhook_id: string,
    request: RecoveryRequest,
  ): Answer<Recovery | RecoveryMatch>;
  recovery(tenant: string, webhook_id: string, recovery_id: string): Answer<Recovery>;
  cancelRecovery(by: Principal, webhook_id: string, recovery_id: string): Answer<Recovery>;
}

/** Who gets what: filters before they are registered, and what became of a task's notifications. */
interface RoutingPort {
  testFilters(test: FilterTest): FilterVerdict;
  taskDeliveries(
    by: Principal,
    task_id: string,
    page: { after: number; limit: number },
  ): Answer<TaskDeliveries>;
}

/** A queue message that could not be worked off. */
interface DeadLetter {
  id: string;
  received_at: string;
  queue: string;
  reason: string;
  body: string;
}

/** How the installation is doing. */
export interface HealthPort {
  /** Each dependency with `ok` or what is wrong with it, for GET /health/ready. */
  ready(): Promise<{ isReady: boolean; dependencies: Record<string, string> }>;
  /** Of all tenants: for the bootstrap key only. */
  deadLetters(
    by: Principal,
    page: { cursor?: string | undefined; limit: number },
  ): Answer<Page<DeadLetter>>;
}

/** Everything that the REST face translates to. */
export interface RestPorts extends OutskirtPorts {
  now: Clock;
  log: Log;
  newRequestId: () => string;
  /** So many random bytes as lower-case hexadecimal: the ids of W3C Trace Context. */
  newHex: (bytes: number) => string;
  /** Opens a WebSocket: our end of it, and the response that takes the other one to the client. */
  openSocket: () => { socket: ChannelSocket; response: Response };
  keys: KeyPort;
  limits: LimitPort;
  tasks: TaskPort;
  subtasks: SubtaskPort;
  notes: NotesPort;
  memories: MemoryPort;
  batches: BatchPort;
  requests: RequestPort;
  escalations: EscalationPort;
  debts: DebtPort;
  agents: AgentPort;
  models: ModelPort;
  webhooks: WebhookPort;
  operations: OperationPort;
  audit: AuditPort;
  trail: TrailPort;
  routing: RoutingPort;
  health: HealthPort;
  observe: ObservePort;
  meter: MeterPort;
  ratings: RatingPort;
  followUps: FollowUpPort;
  validations: ValidationPort;
  modelDecisions: ModelDecisionPort;
}
