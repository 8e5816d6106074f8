import type { ComponentChildren } from "preact";

import { shellWords } from "../words/shell.ts";
import { DataList, type Column } from "./data-list.tsx";
import { Answered, Empty } from "./states.tsx";
import type { Pages } from "./use-pages.ts";
import { useWords } from "./use-words.ts";

/** A list that comes in pages, with what there is to say when it is empty. */
export function Paged<T>(props: {
  known: Pages<T>;
  caption: string;
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  nothing: ComponentChildren;
  href?: (row: T) => string;
  rowClass?: (row: T) => string;
}) {
  const say = useWords(shellWords);
  const { known, nothing, caption, columns, rowKey, href, rowClass } = props;
  return (
    <Answered known={known}>
      {(rows) => (
        <>
          {rows.length === 0 ? (
            <Empty>
              <p>{nothing}</p>
            </Empty>
          ) : (
            <DataList
              caption={caption}
              columns={columns}
              rows={rows}
              rowKey={rowKey}
              {...(href !== undefined && { href })}
              {...(rowClass !== undefined && { rowClass })}
            />
          )}
          {known.hasMore && (
            <p class="list-foot">
              <button type="button" class="button" onClick={known.showMore}>
                {say("more")}
              </button>
            </p>
          )}
        </>
      )}
    </Answered>
  );
}
