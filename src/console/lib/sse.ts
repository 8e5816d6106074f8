/** One event of a stream (HTML, Server-sent events). */
export interface StreamEvent {
  /** The last id that was said, this event's or an earlier one's; empty where none was. */
  id: string;
  event: string;
  data: string;
}

/** Longest unfinished line that is kept, characters: a stream that never breaks a line is no stream. */
const LONGEST_LINE = 4_194_304;

/**
 * Reads a stream of server-sent events piece by piece, however it is cut.
 *
 * @returns a function that takes the next piece and gives the events that it completes
 * @throws Error from that function when a line is longer than 4 Mi characters
 */
export function eventParser(): (piece: string) => StreamEvent[] {
  let rest = "";
  let id = "";
  let event = "";
  let data: string[] = [];

  const end = (): StreamEvent[] => {
    const ended = data.length > 0 ? [{ id, event: event || "message", data: data.join("\n") }] : [];
    event = "";
    data = [];
    return ended;
  };
  const take = (line: string): StreamEvent[] => {
    if (line === "") return end();
    const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
    return [];
  };

  return (piece) => {
    rest += piece;
    // A lone CR at the end may be the half of a CR LF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new Error("a line of the stream has no end");
    return lines.flatMap(take);
  };
}
