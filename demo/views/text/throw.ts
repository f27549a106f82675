/** The next token, by a press of the user: its row flies from the ledger to the end of the text. */
import type { Store } from '../../state/store.js';

const FLIGHT_MS = 400;
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** Shows a copy of an element that moves from one place to another. */
function fly(copy: HTMLElement, from: DOMRect, to: DOMRect): void {
  copy.className = 'flying';
  copy.ariaHidden = 'true';
  copy.style.left = `${from.left}px`;
  copy.style.top = `${from.top}px`;
  document.body.append(copy);
  const way = `translate(${to.left - from.left}px, ${to.top - from.top}px)`;
  const flight = copy.animate([{}, { transform: way, opacity: 0.6 }], {
    duration: FLIGHT_MS,
    easing: 'ease-in-out',
  });
  const land = () => copy.remove();
  flight.finished.then(land, land);
}

/** Draws the next token and shows where it goes. */
export async function takeNext(store: Store): Promise<void> {
  const piece = document.querySelector<HTMLElement>('.ledger .next .piece');
  const from = piece?.getBoundingClientRect();
  const copy = piece?.cloneNode(true) as HTMLElement | undefined;
  const n_tokens = store.document.path.value.length;
  await store.runner.step();
  if (!from || !copy || still.matches || store.document.path.value.length !== n_tokens + 1) return;
  requestAnimationFrame(() => {
    const to = document.querySelector(`.text [data-index="${n_tokens}"]`)?.getBoundingClientRect();
    if (to) fly(copy, from, to);
  });
}
