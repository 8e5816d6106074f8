import type { ComponentChildren } from "preact";

import type { Problem } from "../api/problem.ts";
import { shellWords } from "../words/shell.ts";
import { useWords } from "./use-words.ts";

/**
 * Why something did not work, in the server's own words, with the id to quote.
 *
 * @param unsure what to do where it may have happened all the same; else that one should look first
 */
export function ProblemNote({
  problem,
  onRetry,
  unsure,
}: {
  problem: Problem;
  onRetry?: () => void;
  unsure?: string;
}) {
  const say = useWords(shellWords);
  return (
    <div class="problem" role="alert">
      <p>
        <strong>
          {problem.status === 0 ? say("problemOffline") : problem.title || say("problemTitle")}
        </strong>{" "}
        {problem.detail}
      </p>
      {problem.mayHaveHappened === true && <p>{unsure ?? say("mayHaveHappened")}</p>}
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ pointer, detail }, index) => (
            <li key={index}>
              <code>{pointer || "/"}</code> {detail}
            </li>
          ))}
        </ul>
      )}
      <p class="problem-foot">
        {problem.status > 0 && <code>{`${problem.status} ${problem.code}`}</code>}
        {problem.request_id !== "" && (
          <span>
            {say("requestId")} <code>{problem.request_id}</code>
          </span>
        )}
        {onRetry !== undefined && (
          <button type="button" class="button small" onClick={onRetry}>
            {say("retry")}
          </button>
        )}
      </p>
    </div>
  );
}

/** Something is on its way. */
export function Loading() {
  const say = useWords(shellWords);
  return (
    <p class="loading" role="status">
      <span class="baton" aria-hidden="true" />
      {say("loading")}
    </p>
  );
}

/** There is nothing, and what one could do about it. */
export function Empty({ children }: { children?: ComponentChildren }) {
  const say = useWords(shellWords);
  return <div class="empty">{children ?? <p>{say("nothing")}</p>}</div>;
}

/** What there is to show of an answer: itself, that it is on its way, or why it is not there. */
export function Answered<T>(props: {
  known: { value: T | null; problem: Problem | null; reload: () => void };
  children: (value: T) => ComponentChildren;
}) {
  const { value, problem, reload } = props.known;
  return (
    <>
      {problem !== null && <ProblemNote problem={problem} onRetry={reload} />}
      {value !== null ? props.children(value) : problem === null && <Loading />}
    </>
  );
}
