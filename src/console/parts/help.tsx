import { PAGES } from "../pages.ts";
import { shellWords } from "../words/shell.ts";
import { Dialog } from "./dialog.tsx";
import { useWords } from "./use-words.ts";

/** What the keys do. */
export function Help({ onClose }: { onClose: () => void }) {
  const say = useWords(shellWords);
  const rows: [keys: string[], what: string][] = [
    [["j", "k", "↓", "↑"], say("helpList")],
    [["Enter"], say("helpOpen")],
    [["/"], say("helpSearch")],
    [["Esc"], say("helpClose")],
    [["?"], say("helpThis")],
  ];
  return (
    <Dialog title={say("helpTitle")} onClose={onClose}>
      <dl class="key-list">
        {PAGES.map(({ name, words, key }) => (
          <div key={name}>
            <dt>
              <kbd>g</kbd> <span class="quiet">{say("andThen")}</span> <kbd>{key}</kbd>
            </dt>
            <dd>{say("helpGo", { page: say(words) })}</dd>
          </div>
        ))}
        {rows.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
