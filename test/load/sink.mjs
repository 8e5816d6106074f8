/** A webhook receiver on loopback that notes what came when, and answers 200 unless it is told otherwise. */
import http from "node:http";

/** How long a delivery may take under load before it counts as lost, milliseconds. */
const PATIENCE_MS = 20_000;

/** Tasks whose name begins so are refused with 500: their lanes are blocked. */
export const BLOCKED = "blocked";

/** The last notification of a task, in place of its seq: no answer of the API tells that one. */
export const FINAL = "agent_end_task";

export class Sink {
  /** Instant of the first arrival (performance.now) by endpoint, task and seq. */
  arrivals = new Map();
  /** Milliseconds from the instant that the event bears to its first arrival, by the same names. */
  ages = new Map();
  /** Deliveries that came again. */
  repeated = 0;
  #server = http.createServer((request, response) => this.#receive(request, response));
  #isEnough = () => false;
  #enough = null;
  /** Answers that hang, by path of the endpoint. */
  #hanging = new Map();

  async start() {
    // Endpoints keep their connections; none may be closed under their feet between two rounds.
    this.#server.keepAliveTimeout = 120_000;
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  /** Name of a delivery: path of its endpoint, task, and seq or FINAL. */
  static nameOf(path, task_id, seq) {
    return `${path} ${task_id} ${seq}`;
  }

  /** Waits until all of these deliveries have come, 20 s unless told otherwise; names those that have not. */
  async missing(names, patienceMs = PATIENCE_MS) {
    const lost = () => names.filter((name) => !this.arrivals.has(name));
    const { promise, resolve } = Promise.withResolvers();
    const open = new Set(lost());
    const patience = setTimeout(() => resolve(), patienceMs);
    this.#enough = resolve;
    this.#isEnough = (name) => open.delete(name) && open.size === 0;
    if (open.size > 0) await promise;
    clearTimeout(patience);
    this.#isEnough = () => false;
    return lost();
  }

  /** From now on an endpoint gets no answer for this long, milliseconds, or until it is healed. */
  hang(path, ms) {
    this.#hanging.set(path, { ms, answers: new Set() });
  }

  /** What hung is answered, so that nothing of it is left in what comes next; how many requests that were. */
  heal(path) {
    const { answers } = this.#hanging.get(path);
    this.#hanging.delete(path);
    const count = answers.size;
    for (const answer of answers) answer();
    return count;
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
      const { type, timestamp, data } = JSON.parse(text);
      const name = Sink.nameOf(request.url, data.task_id, type === FINAL ? FINAL : data.seq);
      if (this.arrivals.has(name)) this.repeated += 1;
      else {
        this.arrivals.set(name, performance.now());
        this.ages.set(name, Date.now() - Date.parse(timestamp));
      }
      if (data.task_id?.startsWith(BLOCKED)) response.statusCode = 500;
      this.#answer(request.url, response);
      if (this.#isEnough(name)) this.#enough();
    });
  }

  #answer(path, response) {
    const hanging = this.#hanging.get(path);
    if (hanging === undefined) {
      response.end();
      return;
    }
    const answer = () => {
      clearTimeout(timer);
      hanging.answers.delete(answer);
      response.end();
    };
    const timer = setTimeout(answer, hanging.ms);
    hanging.answers.add(answer);
  }
}
