/** The least that a durable POST costs on this platform: a bare Hono route and an object of one insert. */
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";

/** One object for each POST. */
export class NoteObject extends DurableObject {
  write(body) {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    sql.exec("INSERT INTO note (body) VALUES (?)", body);
  }
}

const app = new Hono();
app.get("/health", (context) => context.json({ status: "ok" }));
app.post("/notes/:id", async (context) => {
  const { id } = context.req.param();
  await context.env.NOTE.getByName(id).write(await context.req.text());
  return context.json({ id }, 202);
});

// oxlint-disable-next-line import/no-default-export -- a Worker is one.
export default app;
