/** The part of a page that copies; without https, but for localhost, it is not there. */
type Clipboarded = { clipboard?: { writeText(text: string): Promise<void> } };

/** Copies a text. False where that is not possible or not allowed: people mark it then and copy it by hand. */
export async function copied(text: string, page: Clipboarded): Promise<boolean> {
  if (page.clipboard === undefined) return false;
  return page.clipboard.writeText(text).then(
    () => true,
    () => false,
  );
}
