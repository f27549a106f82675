/** A button that stays focusable when it is off. */
import type { ComponentChildren } from 'preact';

interface ButtonProps {
  id: string;
  off?: boolean;
  press: () => unknown;
  main?: boolean;
  pressed?: boolean;
  /** The accessible name, for a button whose text is only a sign. */
  label?: string;
  hint?: string;
  keys?: string;
  children: ComponentChildren;
}

/** A button that is off can still have the focus, so that a keyboard user keeps the position when a
 *  run ends. */
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
