import type { AlertView } from "../../protocol/alerts.ts";
import type { AlertChange, AlertTelling, TellPorts, ToldMark } from "./ports.ts";

/** So long after its end an alert is told again to who could not be reached; then it is no news any more. Milliseconds. */
const TOLD_FOR_MS = 86_400_000;

/** When it is told: to which tenant, at which instant (epoch milliseconds). */
interface At {
  tenant: string;
  now: number;
}

/** Who of the webhooks and of the channels was reached by one change; null where nobody knows. */
interface Spread {
  /** Webhooks that were not. */
  deaf: readonly string[] | null;
  /** Channels that were. */
  heard: readonly string[];
  isWhole: boolean;
}

/**
 * Tells of each change of an alert that is untold, in order. Webhooks and channels don't wait for each other, nor for one
 * among them that can't be reached: it alone is told again by the next look, of the beginning first. That ends a day after
 * the alert did.
 */
export async function tellUntold(
  ports: TellPorts,
  { tenant, now }: At,
  { alert, untold }: { alert: AlertView; untold: readonly AlertChange[] },
): Promise<void> {
  const { alert_id, resolved_at } = alert;
  const isLate = resolved_at !== null && Date.parse(resolved_at) + TOLD_FOR_MS < now;
  const about = { tenant, alert_id };
  let told: readonly string[] = alert.told;
  let deaf: Spread["deaf"] = [];
  let isWhole = true;
  for (const change of untold) {
    // That it is over comes after that it fires.
    // oxlint-disable-next-line no-await-in-loop
    const spread = await spreadOf(
      ports,
      { tenant, alert: { ...alert, told: [...told] }, change },
      deaf,
    );
    const isNews = change === "fired" && spread.heard.length > 0;
    if (change === "fired") told = [...told, ...spread.heard];
    deaf = spread.deaf;
    isWhole &&= spread.isWhole;
    if (!isWhole && isLate) ports.log("error", "alert_given_up", { ...about, change });
    const isDone = isWhole || isLate;
    // oxlint-disable-next-line no-await-in-loop
    if ((isDone || isNews) && !(await mark(ports, about, { change, channels: told, isDone })))
      return;
  }
}

/** One change, to all that did not miss what came before. */
async function spreadOf(
  ports: TellPorts,
  telling: AlertTelling,
  deaf: Spread["deaf"],
): Promise<Spread> {
  const { tenant, alert, change } = telling;
  const [published, channels] = await Promise.allSettled([
    deaf === null ? [] : ports.publish(telling, deaf),
    ports.tellChannels(telling),
  ]);
  const missed = published.status === "fulfilled" ? published.value : [];
  const { told: heard, missed: left } =
    channels.status === "fulfilled" ? channels.value : { told: [], missed: [] };
  const errors = [published, channels].flatMap((one) =>
    one.status === "rejected" ? [String(one.reason)] : [],
  );
  const isWhole = [errors, missed, left].every((some) => some.length === 0);
  if (!isWhole) {
    const { alert_id } = alert;
    const who = [...missed, ...left].join(" ");
    const error = errors.length > 0 ? errors.join("; ") : null;
    ports.log("error", "alert_not_told", { tenant, alert_id, change, missed: who, error });
  }
  const isUnknown = deaf === null || published.status === "rejected";
  return { deaf: isUnknown ? null : [...deaf, ...missed], heard, isWhole };
}

/** Whether it could be noted. Where not, all is told again, which changes nothing for who has it. */
async function mark(
  ports: TellPorts,
  about: { tenant: string; alert_id: string },
  told: ToldMark,
): Promise<boolean> {
  try {
    await ports.markTold(about.tenant, about.alert_id, told);
    return true;
  } catch (error) {
    ports.log("error", "alert_not_told", { ...about, change: told.change, error: String(error) });
    return false;
  }
}
