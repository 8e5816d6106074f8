import { task } from "../../api/tasks.ts";
import { Page as Frame, type PageProps } from "../../parts/page.tsx";
import { Answered } from "../../parts/states.tsx";
import { useAnswer } from "../../parts/use-answer.ts";

/** One task. */
export function Page({ id }: PageProps) {
  const known = useAnswer(`/v1/tasks/${encodeURIComponent(id ?? "")}`, task, 3_000);
  return (
    <Frame title={id ?? ""}>
      <Answered known={known}>{({ description }) => <p>{description}</p>}</Answered>
    </Frame>
  );
}
