/** The keyboard: single keys do what the buttons do, unless the focus is in a field. help.tsx lists
 *  the keys. */
import { signal } from '@preact/signals';
import type { Store } from '../state/store.js';
import { takeNext } from './text/throw.js';

const STORED = 'tokenglass-single-keys';

function storedChoice(): boolean {
  try {
    return localStorage.getItem(STORED) !== 'off';
  } catch {
    return true;
  }
}

/** The user can turn single keys off, because speech input can press them by mistake. */
export const singleKeys = signal(storedChoice());

/** Turns single keys on or off, for the next visits, too. */
export function setSingleKeys(on: boolean): void {
  singleKeys.value = on;
  try {
    localStorage.setItem(STORED, on ? 'on' : 'off');
  } catch {
    // the browser forbids storage: the choice holds for this visit
  }
}

function focusCandidate(): void {
  document
    .querySelector<HTMLElement>('[data-testid="candidate"] [data-roving][tabindex="0"]')
    ?.focus();
}

/** The index of the choice `offset` tokens after the one on the page; undefined: the next choice,
 *  after the last token. */
function neighbour(store: Store, offset: number): number | undefined {
  const length = store.document.tokensTo().length;
  const to = (store.inspector.selected.value ?? length) + offset;
  return Math.max(1, to) < length ? Math.max(1, to) : undefined;
}

/** A key as `actions` calls it. */
function nameOf({ key, shiftKey }: KeyboardEvent): string {
  if (!/^[a-z]$/i.test(key)) return key;
  return shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
}

export function listenToKeys(store: Store, help: () => void): () => void {
  const actions: Record<string, () => unknown> = {
    ' ': () => (store.runner.running.value ? store.runner.pause() : store.runner.run()),
    s: () => takeNext(store),
    z: () => store.document.undo(),
    y: () => store.document.redo(),
    'Shift+R': () => store.runner.restart(), // Shift, because it changes the whole text
    ArrowLeft: () => store.inspector.select(neighbour(store, -1)),
    ArrowRight: () => store.inspector.select(neighbour(store, 1)),
    ArrowDown: focusCandidate,
    ArrowUp: focusCandidate,
    Escape: () => store.inspector.select(undefined),
    '/': () => document.querySelector<HTMLElement>('[data-testid="search"]')?.focus(),
    '?': help,
  };
  const pressed = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    // a key that the page takes would not close the popover
    if (event.key === 'Escape' && document.querySelector(':popover-open')) return;
    const undoing = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z';
    // these elements use the keys themselves
    if (target.closest('textarea, select, dialog, input:not([type="checkbox"])')) return;
    if (undoing) {
      event.preventDefault();
      return void (event.shiftKey ? store.document.redo() : store.document.undo());
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === ' ' && target.closest('button, summary, a, input')) return;
    const letter = event.key.length === 1;
    const action = actions[nameOf(event)];
    if (!action || (letter && !singleKeys.value)) return;
    event.preventDefault();
    void action();
  };
  document.addEventListener('keydown', pressed);
  return () => document.removeEventListener('keydown', pressed);
}
