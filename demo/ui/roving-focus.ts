/** Keyboard focus inside a list: Tab enters and leaves the list, the arrow keys move inside it. */

/** Handles a key press in a list: arrow keys, Home and End move the focus between the [data-roving]
 *  elements of the list. */
export function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-roving]')];
  const index = items.indexOf(document.activeElement as HTMLElement);
  const next = {
    ArrowDown: index + 1,
    ArrowRight: index + 1,
    ArrowUp: index - 1,
    ArrowLeft: index - 1,
    Home: 0,
    End: items.length - 1,
  }[event.key];
  if (index < 0 || next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  items[Math.max(0, Math.min(items.length - 1, next))]?.focus();
}
