/** A button that stays focusable when it is off. */
import type { ComponentChildren } from 'preact';

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
