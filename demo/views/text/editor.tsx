/** The text: an editor whose characters are transparent, exactly over the coloured tokens. */
import { signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { DisplayToken, Measure } from '../../state/display-tokens.js';
import type { Store } from '../../state/store.js';
import { isControl } from '../../format.js';
import { Button } from '../../ui/button.js';
import { moveFocus } from '../../ui/roving-focus.js';
import { useWidth } from '../../ui/use-width.js';
import { chunksOf, tokenAt } from './cells.js';
import { describe } from './describe.js';
import { takeNext } from './throw.js';
import { Chunk, indexIn, isRightToLeft } from './tokens.js';

const NEAR_END = 12; // pixels: closer to the end, the text follows its end

/** Whether a tap on the text opens the keyboard of a phone. */
const typing = signal(false);

/** On a touch screen, a tap selects a token. This button makes the text editable. */
export function EditButton({ store }: { store: Store }) {
  if (!store.document.editable.value) return null;
  const press = () => {
    typing.value = !typing.value;
    const editor = document.querySelector<HTMLTextAreaElement>('[data-testid="editor"]')!;
    editor.inputMode = typing.value ? 'text' : 'none'; // before the focus, which opens the keyboard
    editor.blur();
    if (typing.value) editor.focus();
  };
  return (
    <Button id="edit" pressed={typing.value} press={press}>
      {typing.value ? 'Done' : 'Edit'}
    </Button>
  );
}

// keys that move the caret
const CARET_KEYS = /^(Arrow|Home|End|Page)/;

const tokenOf = (element: Element | null) =>
  element?.closest<HTMLElement>('.text [data-index]') ?? undefined;

/** Index of the token at a point of the window. The editor is above the tokens. */
function indexAt({ clientX, clientY }: MouseEvent): number | undefined {
  for (const element of document.elementsFromPoint(clientX, clientY)) {
    const token = tokenOf(element);
    if (token) return indexIn(token, clientX);
  }
  return undefined;
}

/** Where the caret goes in a text that changed by itself: behind what changed. */
function caretAfterChange(before: string, after: string): number {
  let same = 0; // characters at the end of both
  const most = Math.min(before.length, after.length);
  while (same < most && before.at(-1 - same) === after.at(-1 - same)) same++;
  return after.length - same;
}

/** Shows the token that the caret is at, once a key has moved the caret. Returns whether the last
 *  change was by such a key: the event of the caret comes after the key's. */
function useCaret(store: Store, editor: RefObject<HTMLTextAreaElement | null>) {
  const moving = useRef(false);
  useEffect(() => {
    const moved = () => {
      const box = editor.current;
      if (!box || !moving.current || document.activeElement !== box) return;
      if (box.selectionStart !== box.selectionEnd) return;
      const index = tokenAt(store.document.tokens.value, box.selectionStart)?.index;
      if (index !== store.inspector.selected.value) store.inspector.select(index);
    };
    document.addEventListener('selectionchange', moved);
    return () => document.removeEventListener('selectionchange', moved);
  }, []);
  return moving;
}

interface BoxProps {
  store: Store;
  editor: RefObject<HTMLTextAreaElement | null>;
  hover: (index: number | undefined) => void;
}

/** The textarea. It holds the text, and the caret is in it; the tokens below are what one sees. */
function Box({ store, editor, hover }: BoxProps) {
  const { document: doc, inspector } = store;
  const text = doc.text.value;
  const held = useRef<string | undefined>(undefined); // what the textarea holds
  const moving = useCaret(store, editor);
  useLayoutEffect(() => {
    const box = editor.current!;
    if (held.current === text) return;
    const caret =
      document.activeElement === box && held.current !== undefined
        ? caretAfterChange(held.current, text)
        : undefined;
    box.value = held.current = text;
    moving.current = false; // this moves the caret, too
    if (caret !== undefined) box.setSelectionRange(caret, caret);
  }, [text]);
  const undo = (event: Event, redo: boolean) => {
    event.preventDefault();
    void (redo ? doc.redo() : doc.undo());
  };
  return (
    <textarea
      ref={editor}
      data-testid="editor"
      aria-label="Your text"
      dir="auto"
      rows={1}
      inputMode={typing.value ? 'text' : 'none'}
      spellcheck={false}
      autocomplete="off"
      autocorrect="off"
      autocapitalize="off"
      onInput={({ currentTarget: { value } }) => {
        held.current = value;
        doc.setText(value);
      }}
      onBeforeInput={(event) => {
        const { inputType } = event as InputEvent;
        if (inputType === 'historyUndo' || inputType === 'historyRedo')
          undo(event, inputType === 'historyRedo');
      }}
      onKeyDown={(event) => {
        moving.current = CARET_KEYS.test(event.key);
        const key = event.key.toLowerCase();
        const control = event.ctrlKey || event.metaKey;
        if (control && key === 'z') undo(event, event.shiftKey);
        else if (control && key === 'y') undo(event, true);
        else if (control && key === 'enter') {
          event.preventDefault();
          void takeNext(store);
        } else if (key === 'escape') inspector.select(undefined);
      }}
      onPointerDown={() => (moving.current = false)}
      onClick={(event) => {
        const { selectionStart, selectionEnd } = event.currentTarget;
        if (selectionStart !== selectionEnd) return; // the user selects characters
        inspector.select(indexAt(event) ?? tokenAt(doc.tokens.value, selectionStart)?.index);
      }}
      onPointerMove={(event) => hover(event.pointerType === 'mouse' ? indexAt(event) : undefined)}
      onPointerLeave={() => hover(undefined)}
    />
  );
}

/** The mark of a control token at the beginning of the text. It has no characters. */
function StartChip({ token, button }: { token: DisplayToken; button: boolean }) {
  return (
    <span
      class="start"
      data-index={token.index}
      data-prompt-id={token.token}
      data-piece={token.index === 0 ? 'start' : token.piece}
      style={{ '--place': token.index }}
      title={describe(token)}
      {...(button && { role: 'note', 'aria-label': describe(token) })}
    />
  );
}

/** The number of control tokens at the beginning of the text that get a mark. */
function startsOf(tokens: readonly DisplayToken[], editable: boolean): number {
  const n = tokens.findIndex((token) => !isControl(token));
  const all = n < 0 ? tokens.length : n;
  return editable ? all : Math.min(1, all); // without an editor, the others are in the text
}

interface LayerProps {
  store: Store;
  width: number;
  measure: Measure;
  editable: boolean;
}

function Layer({ store, width, measure, editable }: LayerProps) {
  const { document: doc, inspector } = store;
  const tokens = doc.tokens.value;
  const rest = doc.rest.value;
  const forks = doc.forks.value;
  const selected = inspector.selected.value;
  const n_starts = startsOf(tokens, editable);
  const last = tokens.at(-1);
  const select = (index: number | undefined) => {
    if (index !== undefined)
      inspector.select(inspector.selected.value === index ? undefined : index);
  };
  const buttons = !editable;
  return (
    <div
      class="layer"
      dir="auto"
      {...(editable
        ? { 'aria-hidden': true }
        : {
            role: 'group',
            'aria-label': 'Tokens of the text; arrow keys move, Enter shows what else was possible',
            onClick: (event: MouseEvent) => select(indexAt(event)),
            onKeyDown: (event: KeyboardEvent & { currentTarget: HTMLElement }) => {
              if (event.key !== 'Enter' && event.key !== ' ') return moveFocus(event);
              event.preventDefault();
              event.stopPropagation();
              const token = tokenOf(event.target as Element);
              select(token && Number(token.dataset['index']));
            },
          })}
    >
      {tokens.slice(0, n_starts).map((token) => (
        <StartChip key={token.index} token={token} button={buttons} />
      ))}
      {chunksOf(tokens.slice(n_starts)).map((chunk) => {
        const [first, final] = [chunk[0]!.index, chunk.at(-1)!.index];
        const has = (index = -1) => index >= first && index <= final;
        return (
          <Chunk
            key={first}
            tokens={chunk}
            measure={measure}
            selected={has(selected) ? selected : undefined}
            last={has(last?.index) ? last?.index : undefined}
            forks={forks}
            buttons={buttons}
            width={width}
          />
        );
      })}
      {rest}
      <span class={`tail${selected === undefined ? ' selected' : ''}`} />
    </div>
  );
}

/** Keeps the end of the text in view while tokens come, unless the reader scrolled up, and the
 *  selected token after a selection. */
function useScroll(store: Store) {
  const scroller = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const place = useRef(0); // scrollTop as it was last set or seen
  const { document: doc, inspector } = store;
  const text = doc.text.value;
  const selected = inspector.selected.value;
  const n_tokens = doc.tokens.value.length;
  const notePlace = () => {
    const { scrollTop, clientHeight, scrollHeight } = scroller.current!;
    if (Math.abs(scrollTop - place.current) < 2) return; // the text has grown: nobody scrolled
    follows.current = scrollTop + clientHeight > scrollHeight - NEAR_END;
    place.current = scrollTop;
  };
  useLayoutEffect(() => {
    notePlace();
    if (!follows.current) return;
    const box = scroller.current!;
    box.scrollTop = box.scrollHeight;
    place.current = box.scrollTop;
  }, [text, n_tokens]);
  useLayoutEffect(() => {
    const box = scroller.current!;
    if (selected === undefined) return;
    const token = box.querySelector(`[data-index="${selected}"]`)?.getBoundingClientRect();
    if (!token) return;
    const { top, bottom } = box.getBoundingClientRect();
    if (token.top < top) box.scrollTop -= top - token.top;
    else if (token.bottom > bottom) box.scrollTop += token.bottom - bottom;
  }, [selected]);
  return { scroller, onScroll: notePlace };
}

export function Editor({ store, measure }: { store: Store; measure: Measure }) {
  const { document: doc } = store;
  const editor = useRef<HTMLTextAreaElement>(null);
  const hovered = useRef<Element | undefined>(undefined);
  const { scroller, onScroll } = useScroll(store);
  const editable = doc.editable.value;
  const isLoading = store.status.phase.value === 'loading' && doc.tokens.value.length === 0;
  const { element, width } = useWidth<HTMLDivElement>(0);
  // From the first run on, the box has its full height: what is below does not move during a run.
  const isTall = store.status.hasRun.value;
  /** Shows what the token under the pointer is. Preact does not know of this attribute. */
  const hover = (index: number | undefined) => {
    hovered.current?.removeAttribute('data-hover');
    hovered.current =
      index === undefined
        ? undefined
        : (scroller.current!.querySelector(`[data-index="${index}"]`) ?? undefined);
    hovered.current?.setAttribute('data-hover', '');
    const token = index === undefined ? undefined : doc.tokens.value[index];
    editor.current!.title = token ? describe(token, doc.forks.value.get(token.node)) : '';
  };
  return (
    <div class={`text${isTall ? ' tall' : ''}`} ref={scroller} onScroll={onScroll}>
      <div
        class={`layers${isRightToLeft(doc.text.value) ? ' right-to-left' : ''}`}
        // the built-in model begins a text with one: the text does not move when the model comes
        style={{ '--starts': isLoading ? 1 : startsOf(doc.tokens.value, editable) }}
        ref={element}
      >
        <Layer store={store} width={width} measure={measure} editable={editable} />
        {editable && <Box store={store} editor={editor} hover={hover} />}
      </div>
    </div>
  );
}
