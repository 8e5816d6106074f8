/** A webhook receiver that keeps the books of each task: what came, in which order, and what came again. */
import http from "node:http";

/** The notification after which nothing comes any more. */
const FINAL = "agent_end_task";

/** Notifications as they arrive; an idempotent receiver's effects are one for each `webhook-id`. */
export class Receipts {
  /** Requests that brought nothing new. */
  repeated = 0;
  /** What came out of its order, in words. */
  disorders = [];
  /** Milliseconds from the instant that an event bears to its first arrival. */
  ages = [];
  #chains = new Map();
  #server = http.createServer((request, response) => this.#receive(request, response));
  #clock;

  /** @param clock the instant on the sender's clock, epoch milliseconds */
  constructor(clock = () => Date.now()) {
    this.#clock = clock;
  }

  async start() {
    // Senders keep their connections; none may be closed under their feet.
    this.#server.keepAliveTimeout = 120_000;
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  /** Whether the last notification of a task has come, with all before it. */
  isOver(task_id) {
    return this.#chains.get(task_id)?.isOver === true;
  }

  /** The seqs of a task that came, in order of their first arrival. */
  seqsOf(task_id) {
    return this.#chains.get(task_id)?.seqs ?? [];
  }

  /** First arrivals in all. */
  get effects() {
    return [...this.#chains.values()].reduce((sum, { seqs }) => sum + seqs.length, 0);
  }

  /** Forgets tasks that are done with: long runs have many. */
  forget(task_ids) {
    for (const task_id of task_ids) this.#chains.delete(task_id);
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #receive(request, response) {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk) => (text += chunk));
    request.on("end", () => {
      this.#enter(JSON.parse(text));
      response.end();
    });
  }

  #enter({ type, timestamp, data: { task_id, seq, prev_seq } }) {
    const chain = this.#chains.get(task_id) ?? { seqs: [], isOver: false };
    this.#chains.set(task_id, chain);
    if (chain.seqs.includes(seq)) {
      this.repeated += 1;
      return;
    }
    const last = chain.seqs.at(-1) ?? null;
    // Each names the one before it, so that a gap and a wrong order both show.
    if (prev_seq !== last || chain.isOver) {
      this.disorders.push(`${task_id}: seq ${seq} follows ${prev_seq}, and ${last} came before`);
    }
    chain.seqs.push(seq);
    chain.isOver = type === FINAL;
    this.ages.push(this.#clock() - Date.parse(timestamp));
  }
}
