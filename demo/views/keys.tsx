/** The page by keyboard: in, key presses outside of fields; out, what the buttons do. And the map of keys that can be looked at. */
import { signal } from '@preact/signals';
import type { Store } from '../state/store.js';

/** Single keys can be turned off: speech input and slips of the hand press them too. */
export const singleKeys = signal(true);

const MAP: readonly [keys: string, what: string][] = [
  ['Space', 'run, pause'],
  ['S', 'step'],
  ['Z, Y', 'undo, redo'],
  ['R', 'reset: back to the prompt'],
  ['← →', 'the choice of the token before, after'],
  ['Escape', 'the next choice again; closes what is open'],
  ['↓ ↑', 'to the candidates, and along them'],
  ['Enter', 'take the candidate; on a token: show its choice'],
  ['/', 'find a token'],
  ['?', 'this map'],
];

function focusCandidate(): void {
  document
    .querySelector<HTMLElement>('[data-testid="candidate"] [data-roving][tabindex="0"]')
    ?.focus();
}

/** The index of the choice before or after the shown one; undefined is the next choice, after the last token. */
function beside(store: Store, by: number): number | undefined {
  const length = store.tokensTo().length;
  const to = (store.selected.value ?? length) + by;
  return Math.max(1, to) < length ? Math.max(1, to) : undefined;
}

export function listen(store: Store, help: () => void): () => void {
  const actions: Record<string, () => unknown> = {
    ' ': () => (store.running.value ? store.pause() : store.run()),
    s: () => store.step(),
    z: () => store.undo(),
    y: () => store.redo(),
    r: () => store.reset(),
    ArrowLeft: () => store.select(beside(store, -1)),
    ArrowRight: () => store.select(beside(store, 1)),
    ArrowDown: focusCandidate,
    ArrowUp: focusCandidate,
    Escape: () => store.select(undefined),
    '/': () => document.querySelector<HTMLElement>('[data-testid="search"]')?.focus(),
    '?': help,
  };
  const pressed = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const undoing = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z';
    if (target.closest('textarea, select, dialog, input:not([type="checkbox"])')) return; // they have their own
    if (undoing) {
      event.preventDefault();
      return void (event.shiftKey ? store.redo() : store.undo());
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === ' ' && target.closest('button, summary, a, input')) return;
    const letter = event.key.length === 1;
    const action = actions[letter ? event.key.toLowerCase() : event.key];
    if (!action || (letter && !singleKeys.value)) return;
    event.preventDefault();
    void action();
  };
  document.addEventListener('keydown', pressed);
  return () => document.removeEventListener('keydown', pressed);
}

export function Keys({ tour }: { tour: () => void }) {
  return (
    <div class="keys">
      <table data-testid="keys">
        <tbody>
          {MAP.map(([keys, what]) => (
            <tr key={keys}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        A stage’s grip moves with the left and right arrows; sliders and lists move with theirs.
      </p>
      <label>
        <input
          type="checkbox"
          data-testid="single-keys"
          checked={singleKeys.value}
          onChange={({ currentTarget }) => (singleKeys.value = currentTarget.checked)}
        />{' '}
        single keys work
      </label>
      <p>
        <button type="button" data-testid="tour-again" onClick={tour}>
          Show the first tour again
        </button>
      </p>
    </div>
  );
}
