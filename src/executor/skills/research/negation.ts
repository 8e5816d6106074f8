/** Where what is said of one thing ends: marks (not within a number or a date), and words that turn to something else. */
const BOUNDARY =
  /[,:](?!\s?\d)|[;()–—]|(?<!\p{L})(?:but|however|although|though|while|whereas|yet|pero|sino|aunque|mientras)(?!\p{L})|(?<!\p{L})(?:and|y|e)(?= (?:not|no|it|he|she|they|was|were|is|are|has|had|will|then|se|fue|fueron|es|son|era|ha)(?!\p{L}))|(?= not (?:(?:in|on|at|by|from) )?\d)/giu;
const NEGATION =
  /(?<!\p{L})(?:not|never|nor|neither|cannot|no|nobody|none|\p{L}+n['’]t|nunca|jamás|ni|tampoco|nadie|ningun[oa]|ningún)(?!\p{L})/iu;
/** Words that look like a negation and deny nothing; with "until" what follows it is so, as with "nobody who has not". */
const NO_DENIAL =
  /(?<!\p{L})(?:not only|not just|no s[oó]lo|not? (?:later|earlier|sooner|fewer|less|more) than|no (?:menos|más) de|with no|no doubt|no(?:ne|body)? .{0,80}?(?<!\p{L})(?:who|that|which) .{0,60}?(?<!\p{L})not|no\.? ?(?=\d)|not? .{0,80}?(?<!\p{L})(?:until|till)|no .{0,80}?(?<!\p{L})hasta|\p{L}+n['’]t .{0,80}?(?<!\p{L})(?:until|till))(?!\p{L})/giu;
/** An opening of a sentence that only says when or where: what follows is said of it. */
const SETTING =
  /^(?:in|on|at|by|since|from|during|after|before|en|el|desde|durante|tras|a)(?: \S+){1,6}$/iu;

/** Whether a sentence, or a question, has a word that denies. */
export function denies(text: string): boolean {
  return NEGATION.test(text.replaceAll(NO_DENIAL, " "));
}

/** Whether what stands at an index of a sentence belongs to a clause that denies, by its marks and words alone. */
export function isDenied(sentence: string, index: number): boolean {
  let start = 0;
  let end = sentence.length;
  for (const { 0: mark, index: at } of sentence.matchAll(BOUNDARY)) {
    if (at + mark.length <= index) start = at + mark.length;
    else if (at > index) {
      const isSetting = start === 0 && SETTING.test(sentence.slice(0, at).trim());
      if (isSetting) continue;
      end = at;
      break;
    }
  }
  return denies(sentence.slice(start, end));
}
