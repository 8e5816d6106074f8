import { readdirSync, readFileSync } from "node:fs";

import ts from "typescript";

/* Which events the code logs, read from its text: the names that others search, alert and draw by. */

/** A name of an event as the code writes it. */
const NAME = /^[a-z]+(_[a-z]+)*$/;

interface Source {
  file: string;
  tree: ts.SourceFile;
}

function sources(root: string): Source[] {
  return (
    readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => /(?<!\.d)\.ts$/.test(name) && !name.startsWith("console/"))
      .map((name) => ({ file: `${root}/${name}`, text: readFileSync(`${root}/${name}`, "utf8") }))
      // To parse all of the code would take seconds.
      .filter(({ text }) => /\blog\(/.test(text))
      .map(({ file, text }) => ({
        file,
        tree: ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true),
      }))
  );
}

function nameOf(called: ts.Expression): string {
  if (ts.isPropertyAccessExpression(called)) return called.name.text;
  return ts.isIdentifier(called) ? called.text : "";
}

function callsIn(node: ts.Node): ts.CallExpression[] {
  const found: ts.CallExpression[] = [];
  const visit = (at: ts.Node): void => {
    if (ts.isCallExpression(at)) found.push(at);
    ts.forEachChild(at, visit);
  };
  visit(node);
  return found;
}

/** The texts that an expression may be; null for one that is no text but a name of something. */
function textsOf(expression: ts.Expression): string[] | null {
  if (ts.isStringLiteral(expression)) return [expression.text];
  if (!ts.isConditionalExpression(expression)) return null;
  const [one, other] = [textsOf(expression.whenTrue), textsOf(expression.whenFalse)];
  return one === null || other === null ? null : [...one, ...other];
}

/** The function around a call that was given the event: its name and the place of the event among what it is given. */
function wrapperOf(call: ts.Node, event: string): { name: string; place: number } | null {
  for (let at: ts.Node | undefined = call; at !== undefined; at = at.parent) {
    if (!ts.isFunctionLike(at)) continue;
    const place = at.parameters.findIndex(({ name }) => name.getText() === event);
    if (place >= 0) return { name: at.name?.getText() ?? "", place };
  }
  return null;
}

const LEVELS = ["debug", "info", "warning", "error"];

/** Whether a call writes a line; a method of one's own may be called #log too. */
function isLog({ expression }: ts.CallExpression, level: ts.Expression): boolean {
  const name = nameOf(expression);
  return name === "log" || (name === "#log" && LEVELS.includes(textsOf(level)?.[0] ?? ""));
}

/** The events that a call may log; none where it only passes on, with a field more, what others log. */
function eventsOf(call: ts.CallExpression, event: ts.Expression, calls: ts.CallExpression[]) {
  const texts = textsOf(event);
  if (texts !== null) return texts;
  const wrapper = wrapperOf(call, event.getText());
  if (wrapper?.name === "") return [];
  const given = calls
    .filter(({ expression }) => nameOf(expression) === wrapper?.name)
    .flatMap(({ arguments: told }) => told.slice(wrapper?.place ?? 0).slice(0, 1))
    .flatMap((told) => textsOf(told) ?? [told.getText()]);
  return given.length === 0 ? [event.getText()] : given;
}

/**
 * Every event that is logged below a folder, by its name, with a file that logs it.
 *
 * A log whose event is a parameter is followed to those who call the function.
 *
 * @throws for one that cannot be read from the text
 */
export function loggedEvents(root: string): Map<string, string> {
  const found = sources(root).flatMap(({ file, tree }) => {
    const calls = callsIn(tree);
    return calls.flatMap((call) => {
      const [level, event] = call.arguments;
      if (level === undefined || event === undefined || !isLog(call, level)) return [];
      return eventsOf(call, event, calls).map((name): [string, string] => [name, file]);
    });
  });
  for (const [name, file] of found) {
    if (!NAME.test(name)) throw new Error(`${file}: which event is ${name}?`);
  }
  return new Map(found);
}
