/** A button that opens a panel beside it. */
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';

const GAP = 6; // pixels between the button and the panel, and between the panel and the window

interface PopoverProps {
  /** The test id of the button. The panel's is the same with "-panel" after it. */
  id: string;
  /** The accessible name, for a button whose text does not say what it opens. */
  label?: string;
  text: ComponentChildren;
  class?: string;
  /** Further properties of the button. */
  button?: ButtonHTMLAttributes<HTMLButtonElement>;
  /** The content of the open panel. close: closes the panel. */
  children: (close: () => void) => ComponentChildren;
}

/** Escape and a click outside close the panel. The panel is in the browser's top layer, so that no
 *  scrolling parent cuts it off. */
export function Popover({ id, label, text, class: className, button, children }: PopoverProps) {
  const open = useSignal(false);
  const opener = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const close = () => panel.current?.hidePopover();
  useLayoutEffect(() => {
    if (!open.value) return;
    const { left, top, bottom } = opener.current!.getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = panel.current!;
    const fitsBelow = bottom + GAP + offsetHeight <= innerHeight;
    const y = fitsBelow ? bottom + GAP : top - GAP - offsetHeight;
    style.left = `${Math.max(GAP, Math.min(left, innerWidth - offsetWidth - GAP))}px`;
    style.top = `${Math.max(GAP, Math.min(y, innerHeight - offsetHeight - GAP))}px`;
  });
  return (
    <>
      <button
        {...button}
        ref={opener}
        type="button"
        class={className ?? ''}
        data-testid={id}
        aria-label={label}
        aria-expanded={open.value}
        popovertarget={`${id}-panel`}
      >
        {text}
      </button>
      <div
        ref={panel}
        id={`${id}-panel`}
        class="popover"
        popover="auto"
        role="group"
        aria-label={label}
        data-testid={`${id}-panel`}
        onToggle={(event) => (open.value = event.newState === 'open')}
      >
        {open.value && children(close)}
      </div>
    </>
  );
}
