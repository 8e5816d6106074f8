import { SourceFault, tokensOf, type Token } from "./tokens.ts";

const CLOSER: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
/** Words after which a type has not ended. */
const TYPE_GOES_ON =
  /^(?:keyof|typeof|readonly|unique|infer|extends|is|asserts|new|in|abstract|import)$/;
/** Marks with which an expression or a type goes on, on the next line too. */
const GOES_ON = /^(?:[|&?:.=<>+\-*/%^,)\]}]|=>|\?\.|\?\?|&&|\|\||[=!]==?)$/;

/** A place among the tokens of a source, and the ways to read on from it. */
export class Cursor {
  readonly source: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(source: string) {
    this.source = source;
    this.#tokens = tokensOf(source);
  }

  /** The token that comes, or one further on; at the end always the end. */
  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new Error("a source has at least its end");
    return token;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.#at += 1;
    return token;
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.text === text && token.kind !== "string" && token.kind !== "template";
  }

  /** Takes a mark or word if it comes. */
  take(text: string): boolean {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  expect(text: string, of: string): Token {
    if (!this.is(text)) throw this.fault(`Expected "${text}" ${of}`);
    return this.next();
  }

  word(of: string): string {
    if (this.peek().kind !== "word") throw this.fault(`Expected the name of ${of}`);
    return this.next().text;
  }

  /** "Expected …, found …" at the token that comes. */
  fault(expectation: string): SourceFault {
    const { kind, text, start } = this.peek();
    const found = kind === "end" ? "the end of the source" : JSON.stringify(text.slice(0, 40));
    return new SourceFault(this.source, start, `${expectation}, found ${found}.`);
  }

  /** The source from a place to the end of the token read last. */
  textSince(start: number): string {
    const end = this.#tokens[this.#at - 1]?.end ?? start;
    return this.source.slice(start, Math.max(start, end));
  }

  /** Skips a bracket and all up to its partner. */
  skipBalanced(): void {
    const open: Token[] = [];
    do {
      const token = this.peek();
      if (token.kind === "end") {
        const [first] = open;
        const { text = "", start = 0 } = first ?? {};
        throw new SourceFault(this.source, start, `The "${text}" that opens here is never closed.`);
      }
      this.next();
      if (token.kind !== "mark") continue;
      if (CLOSER[token.text] !== undefined) open.push(token);
      else if (/^[)\]}]$/.test(token.text) && token.text !== CLOSER[open.pop()?.text ?? ""]) {
        throw new SourceFault(this.source, token.start, `Nothing opens this "${token.text}".`);
      }
    } while (open.length > 0);
  }

  /** Reads `<…>` of parameters or arguments if it comes; its text. */
  typeParameters(): string {
    if (!this.is("<")) return "";
    const { start } = this.peek();
    let depth = 0;
    do {
      const token = this.peek();
      if (token.kind === "end" || this.is(";")) throw this.fault('Expected ">"');
      if (/^[([{]$/.test(token.text) && token.kind === "mark") {
        this.skipBalanced();
        continue;
      }
      this.next();
      if (token.kind === "mark" && token.text === "<") depth += 1;
      if (token.kind === "mark" && token.text === ">") depth -= 1;
    } while (depth > 0);
    return this.textSince(start);
  }

  /**
   * Reads a type as source text: up to a mark of `stops`, a body, or a line break after which it can't go on.
   *
   * @param of what the type belongs to, for the fault when there is none
   */
  type(stops: readonly string[], of: string): string {
    const { start } = this.peek();
    let before: Token | null = null;
    while (!this.#isOneOf(stops) && !this.#isTypeEnd(before, this.peek())) {
      before = this.#piece();
    }
    if (before === null) throw this.fault(`Expected a type ${of}`);
    return this.textSince(start);
  }

  /** Skips an expression: up to a mark of `stops`, or a line break after which it can't go on. */
  skipExpression(stops: readonly string[]): void {
    let before: Token | null = null;
    while (!this.#isOneOf(stops)) {
      const { is_first, text, kind } = this.peek();
      const goesOn = GOES_ON.test(text) || kind === "template";
      if (is_first && before !== null && canEnd(before) && !goesOn) return;
      before = this.#piece(false);
    }
  }

  /** At the end of the source too, so that every loop ends there. */
  #isOneOf(stops: readonly string[]): boolean {
    const { kind, text } = this.peek();
    return kind === "end" || (kind === "mark" && stops.includes(text));
  }

  /** Takes a token, or a bracket with all that is in it; `<` is a bracket in types only. */
  #piece(isType = true): Token {
    const token = this.peek();
    if (token.kind === "mark" && /^[([{]$/.test(token.text)) this.skipBalanced();
    else if (isType && this.is("<")) this.typeParameters();
    else this.next();
    return this.#tokens[this.#at - 1] ?? token;
  }

  #isTypeEnd(before: Token | null, token: Token): boolean {
    if (/^[)\]}>;,]$/.test(token.text) && token.kind === "mark") return true;
    if (before === null || !canEnd(before)) return false;
    if (token.kind === "mark" && token.text === "{") return true;
    const goesOn = /^(?:[|&?:.]|=>)$/.test(token.text) || /^(?:extends|is)$/.test(token.text);
    return token.is_first && !goesOn;
  }
}

function canEnd({ kind, text }: Token): boolean {
  if (kind === "word") return !TYPE_GOES_ON.test(text);
  return kind !== "mark" || /^[)\]}>]$/.test(text);
}
