/** A modal dialog. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from './button.js';

interface DialogProps {
  id: string;
  title: string;
  open: boolean;
  /** For content that needs the width of the window. */
  wide?: boolean;
  close: () => void;
  children: ComponentChildren;
}

/** Escape, the close button and a click outside close the dialog. The focus then returns to the
 *  element that had it before. */
export function Dialog({ id, title, open, wide = false, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    // in the same task as the content, so that a key pressed at once goes to the dialog
    if (open && !dialog.current!.open) dialog.current!.showModal();
    if (!open && dialog.current!.open) dialog.current!.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class={wide ? 'wide' : ''}
      data-testid={id}
      aria-labelledby={`${id}-title`}
      onClose={() => {
        if (open) close(); // else the page closed it, and may have opened another one since
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      {open && (
        <div class="dialog-body">
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
