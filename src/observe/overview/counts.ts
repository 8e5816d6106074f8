/** What is open at the moment. */
export interface OpenCounts {
  tasks: { status: "pending" | "running" | "escalated"; count: number }[];
  /** Whether all active tasks were counted. */
  isComplete: boolean;
  webhooks: { total: number; troubled: number };
  escalations: number;
  debts: number;
}

/** An endpoint and the level of its breaker. */
export interface Troubled {
  webhook_id: string;
  level: number;
}
