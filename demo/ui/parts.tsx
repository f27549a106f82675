/** Small parts that several panels share: buttons that keep the focus, token names, dialogs, lists that arrows walk. */
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { isControl, name } from '../format.js';

interface ButtonProps {
  id: string;
  off?: boolean;
  press: () => unknown;
  main?: boolean;
  pressed?: boolean;
  /** The name of a button whose text is only a sign; it begins with the text where there is one. */
  label?: string;
  hint?: string;
  keys?: string;
  children: ComponentChildren;
}

/** A button that is off keeps the focus, so that the keyboard's place is not lost when a run ends. */
export function Button({
  id,
  off = false,
  press,
  main,
  pressed,
  label,
  hint,
  keys,
  children,
}: ButtonProps) {
  return (
    <button
      type="button"
      class={main ? 'main' : ''}
      data-testid={id}
      aria-disabled={off}
      aria-pressed={pressed}
      aria-label={label}
      aria-keyshortcuts={keys}
      title={hint ?? label}
      onClick={() => {
        if (!off) void press();
      }}
    >
      {children}
    </button>
  );
}

/** A token's name; a control token's is in a frame. */
export function Piece({ token }: { token: { text: string; bytes: Uint8Array } }) {
  return (
    <span class="piece">
      {isControl(token) ? <span class="control">{name(token)}</span> : name(token)}
    </span>
  );
}

interface DialogProps {
  id: string;
  title: string;
  open: boolean;
  close: () => void;
  children: ComponentChildren;
}

/** A modal dialog: Escape, its button and a click beside it close it, and the focus goes back to where it was. */
export function Dialog({ id, title, open, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    // with its content: a key that is pressed at once is the dialog's
    if (open && !dialog.current!.open) dialog.current!.showModal();
    if (!open && dialog.current!.open) dialog.current!.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      data-testid={id}
      aria-labelledby={`${id}-title`}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      {open && (
        <div class="sheet">
          <header>
            <h2 id={`${id}-title`}>{title}</h2>
            <Button id={`${id}-close`} press={close} label="Close">
              ×
            </Button>
          </header>
          {children}
        </div>
      )}
    </dialog>
  );
}

/** Arrow keys, Home and End walk from one [data-walk] to the next in the list that has the focus; Tab passes it as one. */
export function walk(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-walk]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const to = {
    ArrowDown: at + 1,
    ArrowRight: at + 1,
    ArrowUp: at - 1,
    ArrowLeft: at - 1,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  items[Math.max(0, Math.min(items.length - 1, to))]?.focus();
}

/** How wide an element is now, in pixels: charts are drawn for it, so that their letters stay as large as others. */
export function useWidth<T extends Element>(first: number) {
  const element = useRef<T>(null);
  const width = useSignal(first);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) width.value = Math.round(entry.contentRect.width);
    });
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return { element, width: width.value };
}

/** A chart's numbers as a table, for those who do not see it or want to copy them. */
export function Twin({ id, children }: { id: string; children: () => ComponentChildren }) {
  return (
    <details class="twin" data-testid={id}>
      <summary>as a table</summary>
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        {children()}
      </div>
    </details>
  );
}
