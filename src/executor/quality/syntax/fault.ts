/** Something wrong with a text, at a line and column from 1. */
export interface SyntaxFault {
  code: string;
  line: number;
  column: number;
  detail: string;
  /** The text is broken, and not only untidy. */
  is_broken: boolean;
}
