/** The introduction for the first visit: a card with one sentence at a time about one panel. The
 *  card stays in the window, and the panel is scrolled to where the card does not cover it. The
 *  user can close the introduction and show it again from the help. */
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { isPhone } from '../ui/media.js';

interface Step {
  /** Selector of what the sentence is about. */
  about: () => string;
  text: () => ComponentChildren;
}

const STEPS: readonly Step[] = [
  {
    about: () => '.text-panel',
    text: () => (
      <>
        A language model continues this text one token at a time. Press <b>Next token</b> to let it
        pick one.
      </>
    ),
  },
  {
    about: () => '.ledger table',
    text: () =>
      `These are all the tokens it could pick, each with its probability. ${
        isPhone.value
          ? 'Tap any token to continue with it instead.'
          : 'Click any token to continue with it instead.'
      }`,
  },
  {
    about: () => (isPhone.value ? '.chips' : '.ledger thead'),
    text: () =>
      isPhone.value
        ? 'The sampler works on these probabilities before a token is picked. Tap a chip below to move its slider, and see which tokens are cut, and why.'
        : 'The sampler works on these probabilities before a token is picked. Move a slider and see which tokens are cut, and why.',
  },
  { about: () => '.branches-panel', text: () => 'Every branch you try is kept here.' },
];

const SEEN = 'tokenglass-introduction';

/** Notes that the user has seen the introduction. When the browser forbids storage, each visit
 *  shows it. */
function markSeen(): void {
  try {
    localStorage.setItem(SEEN, 'seen');
  } catch {
    // the introduction is shown again
  }
}

function wasSeen(): boolean {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return false;
  }
}

/** Index of the step on the page; undefined: no introduction. */
const step = signal<number | undefined>(wasSeen() ? undefined : 0);

export const introduce = (): void => {
  step.value = 0;
};

const GAP = 8; // pixels between the card and what it explains

/** Puts the card where it does not cover what it explains: at the bottom of the window or, when
 *  there is no room above it, at the top. */
function makeRoom(card: HTMLElement, explained: Element): void {
  card.classList.remove('above');
  if (explained.closest('.action-bar')) return; // it is below the card, and does not scroll
  const { height } = explained.getBoundingClientRect();
  const isAbove = isPhone.value && height > card.getBoundingClientRect().top - GAP;
  card.classList.toggle('above', isAbove);
  const { top, bottom } = card.getBoundingClientRect();
  const place = explained.getBoundingClientRect();
  const [first, last] = isAbove ? [bottom + GAP, innerHeight] : [0, top - GAP];
  if (place.top < first) scrollBy(0, place.top - first);
  else if (place.bottom > last) scrollBy(0, Math.min(place.top - first, place.bottom - last));
}

export function Introduction() {
  const at = step.value;
  const card = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const explained = at === undefined ? null : document.querySelector(STEPS[at]!.about());
    document.documentElement.classList.toggle('introducing', at !== undefined);
    if (!explained) return;
    const framed = explained.closest('section') ?? explained;
    framed.classList.add('explained');
    makeRoom(card.current!, explained);
    return () => framed.classList.remove('explained');
  }, [at]);
  if (at === undefined) return null;
  const end = () => {
    step.value = undefined;
    markSeen();
    if (isPhone.value) scrollTo(0, 0); // the steps scrolled away from the text and the table
  };
  const isLast = at === STEPS.length - 1;
  return (
    <aside class="introduction" aria-label="Introduction" data-testid="introduction" ref={card}>
      <p role="status">
        <b>New here?</b> {STEPS[at]!.text()}{' '}
        <small>
          {at + 1} of {STEPS.length}
        </small>
      </p>
      <Button id="introduction-next" main press={() => (isLast ? end() : (step.value = at + 1))}>
        {isLast ? 'Done' : 'Next'}
      </Button>
      <Button id="introduction-close" press={end} label="Close the introduction">
        ×
      </Button>
    </aside>
  );
}
