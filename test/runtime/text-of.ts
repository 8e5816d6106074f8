/** What a response says; of a stream that goes on, the data of its first event. */
export async function textOf(response: Response): Promise<string> {
  const isStream = response.headers.get("content-type") === "text/event-stream";
  if (!isStream || response.body === null) return response.text();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!/^data: .*\n\n/m.test(text)) {
    // Each piece follows the one before it.
    // oxlint-disable-next-line no-await-in-loop
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return /^data: (.*)$/m.exec(text)?.[1] ?? "";
}
