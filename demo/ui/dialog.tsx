/** A modal dialog. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from './button.js';

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
