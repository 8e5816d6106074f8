import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

import { useKeys } from "./keys.ts";

/** A column of a list. */
export interface Column<Row> {
  /** Stays the same in every language. */
  id: string;
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand right. `wide` takes what room is left; `extra` is left out on phones. */
  kind?: "number" | "wide" | "extra";
}

const OPENERS = "[data-open]";

/** Moves the focus to another row; from elsewhere to the first, or the last. */
function move(rows: HTMLElement | null, by: number): void {
  const openers = [...(rows?.querySelectorAll<HTMLElement>(OPENERS) ?? [])];
  const at = openers.findIndex((one) => one === document.activeElement);
  const next = openers[at === -1 ? (by > 0 ? 0 : openers.length - 1) : at + by];
  next?.focus();
  next?.closest("tr")?.scrollIntoView({ block: "nearest" });
}

/**
 * A list as a table. j and k, and the arrows inside, go through its rows and Enter opens one, because each row's first cell is a
 * link or a button; rows that come in later do not move the choice. On phones rows become cards.
 */
export function DataList<Row>(props: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** Where a row leads; without it, `onOpen` is what it does. */
  href?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  rowClass?: (row: Row) => string;
}) {
  const body = useRef<HTMLTableSectionElement>(null);
  const step = (by: number): void => move(body.current, by);
  // From anywhere else arrows move the page.
  const arrow = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  };
  const { caption } = props;
  // With nothing in it to go to, the keyboard has to get into it to move it sideways.
  const isPlain = props.href === undefined && props.onOpen === undefined;
  useKeys(isPlain ? {} : { j: () => step(1), k: () => step(-1) });

  return (
    <div
      class="list-frame"
      {...(isPlain && { role: "region", "aria-label": caption, tabIndex: 0 })}
    >
      <table class="list">
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {props.columns.map(({ id, title, kind }) => (
              <th key={id} scope="col" class={kind ?? ""}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} {...(!isPlain && { onKeyDown: arrow })}>
          {props.rows.map((row) => (
            <tr key={props.rowKey(row)} class={props.rowClass?.(row) ?? ""}>
              {props.columns.map((column, index) => (
                <td key={column.id} class={column.kind ?? ""} data-title={column.title}>
                  {index === 0 ? opener(props, row, column) : column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function opener<Row>(
  { href, onOpen }: { href?: (row: Row) => string; onOpen?: (row: Row) => void },
  row: Row,
  column: Column<Row>,
) {
  if (href !== undefined) {
    return (
      <a class="row-open" data-open href={href(row)}>
        {column.cell(row)}
      </a>
    );
  }
  if (onOpen === undefined) return column.cell(row);
  return (
    <button type="button" class="row-open" data-open onClick={() => onOpen(row)}>
      {column.cell(row)}
    </button>
  );
}
