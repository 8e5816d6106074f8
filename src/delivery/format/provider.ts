import type { FormatInput, ProviderRequest } from "./message.ts";
import { pagerdutyRequest } from "./pagerduty.ts";
import { resendRequest } from "./resend.ts";
import { slackRequest } from "./slack.ts";
import type { Format } from "./target.ts";
import { twilioRequest } from "./twilio.ts";

/** The forms that are some provider's own. */
export type ProviderFormat = Exclude<Format, { api: "standard" }>;

/** The request by which a provider is told of an alert. Nothing is sent by it. */
export function providerRequest(
  input: FormatInput,
  format: ProviderFormat,
): Promise<ProviderRequest> {
  switch (format.api) {
    case "resend":
      return resendRequest(input, format);
    case "twilio":
      return twilioRequest(input, format);
    case "pagerduty":
      return pagerdutyRequest(input);
    case "slack":
      return slackRequest(input);
  }
}
