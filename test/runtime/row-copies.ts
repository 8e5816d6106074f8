import { env } from "cloudflare:workers";

/** Copies the row of a task in DB so many times, under the same id and a number. */
export async function copyTask(task_id: string, copies: number): Promise<void> {
  const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info('task')").all<{
    name: string;
  }>();
  const columns = results.map(({ name }) => name);
  const named = ["task_id", "view", "events"];
  const copied = columns.map((name) =>
    named.includes(name) ? `replace(${name}, ?1, ?1 || '-' || number)` : name,
  );
  await env.DB.prepare(
    `WITH RECURSIVE numbered(number) AS (
       SELECT 1 UNION ALL SELECT number + 1 FROM numbered WHERE number < ?2)
     INSERT INTO task (${columns.join(", ")})
     SELECT ${copied.join(", ")} FROM task CROSS JOIN numbered WHERE task_id = ?1`,
  )
    .bind(task_id, copies)
    .run();
}
