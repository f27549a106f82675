/** A button that opens a small part of the page below it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface MenuProps {
  id: string;
  label: string;
  sign: ComponentChildren;
  /** Whether a press of a button inside leaves the part open. */
  stays?: boolean;
  children: ComponentChildren;
}

/** A part that a click opens below its button. Escape and a click elsewhere close it. Its content
 *  is always in the document. */
export function Menu({ id, label, sign, stays = false, children }: MenuProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const outside = (event: Event) => {
      if (!menu.current!.contains(event.target as Node)) menu.current!.open = false;
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, []);
  return (
    <details
      class="menu"
      ref={menu}
      onClick={(event) => {
        const isPress = (event.target as Element).closest('.menu-body button');
        if (isPress && !stays) menu.current!.open = false;
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !menu.current!.open) return;
        event.stopPropagation();
        menu.current!.open = false;
        menu.current!.querySelector('summary')!.focus();
      }}
    >
      <summary data-testid={id} aria-label={label} title={label}>
        {sign}
      </summary>
      <div class="menu-body">{children}</div>
    </details>
  );
}
