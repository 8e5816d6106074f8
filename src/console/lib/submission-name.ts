/** 16 random bytes as text. Unlike crypto.randomUUID it is there without https as well. */
export function drawnName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/**
 * Names what a form sends, for the header Idempotency-Key: the same body has the same name, so that sending it again
 * after a lost answer makes nothing twice; one that was changed is another.
 *
 * @param draw a new name at each call
 */
export function submissionNames(draw: () => string): (body: unknown) => string {
  let last = { text: "", name: "" };
  return (body) => {
    const text = JSON.stringify(body);
    if (last.text !== text) last = { text, name: draw() };
    return last.name;
  };
}
