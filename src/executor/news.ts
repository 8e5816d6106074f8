import type { Pacer } from "./pace.ts";
import type { SkillProgress } from "./skills/skill.ts";

/** The share that steps may reach: whether their result is the task's result is for the gates to say. Percent. */
const MOST_PERCENT = 99;

/** Characters of a step's name, of which something that the task brought may be a part. */
const LONGEST_STEP = 1_000;

/** Where the work of an attempt stands, what of it was told and when. Instants are epoch milliseconds. */
export class News {
  #latest: SkillProgress | null = null;
  #isAsked = false;
  #isUntold = false;
  #toldAt: number;
  #newAt: number;

  /** @param startedAt the start of an attempt is news itself */
  constructor(startedAt: number) {
    this.#toldAt = startedAt;
    this.#newAt = startedAt;
  }

  /** The last step; null before the first one. */
  get latest(): SkillProgress | null {
    return this.#latest;
  }

  /** When something new was told last. */
  get newAt(): number {
    return this.#newAt;
  }

  /** Whether somebody wants to hear how it stands. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Somebody wants to hear how it stands. */
  ask(): void {
    this.#isAsked = true;
  }

  /** The wait for news begins anew: nobody expected any until now. */
  restart(now: number): void {
    this.#newAt = now;
  }

  /**
   * Whether the last step is to be told once more, or at all: when somebody asks, when the interval is over, and where
   * only an attempt before this one has told it.
   */
  isDue(now: number, pacer: Pacer): boolean {
    return (
      this.#latest !== null &&
      (this.#isAsked || this.#isUntold || pacer.isIntervalOver(now, this.#toldAt))
    );
  }

  /** Notes a step that the task knows from an attempt before this one. */
  remember(step: SkillProgress): void {
    this.#note(step);
    this.#isUntold = true;
  }

  /** The step as it is told. The percentage never falls within an attempt (protocol.md §3). */
  tell(step: SkillProgress, now: number): SkillProgress {
    if (step !== this.#latest || this.#isUntold) this.#newAt = now;
    const told = this.#note(step);
    this.#isUntold = false;
    this.#isAsked = false;
    this.#toldAt = now;
    return told;
  }

  #note(step: SkillProgress): SkillProgress {
    const percentage = Math.max(step.progress_percentage, this.#latest?.progress_percentage ?? 0);
    const noted = {
      ...step,
      current_step: step.current_step.slice(0, LONGEST_STEP).toWellFormed() || "working",
      progress_percentage: Math.min(MOST_PERCENT, percentage),
    };
    this.#latest = noted;
    return noted;
  }
}
