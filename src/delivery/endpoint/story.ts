import { alertChangeSchema } from "../format/message.ts";

/* What news without a task are in order with: those of one alert tell one story. */

/** What happens to an alert, as the ids of its news end (channels/telling.ts); as notifications its beginning has no end. */
const CHANGES = alertChangeSchema.options;

/** Such an id: behind the change stands the number that an SMS goes to. */
const NEWS = new RegExp(`^(.+)_(?:${CHANGES.join("|")})((?:_\\d+)?)$`);

/** The alert that an id is of, with the number where there is one; of other news the id itself. */
function partsOf(event_id: string): [name: string, number: string] {
  const [, name = event_id, number = ""] = NEWS.exec(event_id) ?? [];
  return [name, number];
}

/** The lane of news without a task, by their event's id: the alert's, of an SMS with the number; else the id itself. */
export function storyOf(event_id: string): string {
  return partsOf(event_id).join("");
}

/** The ids that news of the same story may have, the given one among them. */
export function storyIds(event_id: string): string[] {
  const [name, number] = partsOf(event_id);
  return [name + number, ...CHANGES.map((change) => `${name}_${change}${number}`)];
}
