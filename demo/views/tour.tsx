/** A short tour of the page for the first visit: a strip of text that points at one panel after
 *  another. The user can skip the tour and start it again from the help dialog. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.js';

const STOPS: readonly { panel: string; text: string }[] = [
  {
    panel: '.text-panel',
    text: 'A language model continues this text, one token at a time. Press Step to draw one token.',
  },
  {
    panel: '.choice-panel',
    text: 'These are the tokens that it can draw, with their probabilities. Click any candidate to continue with it instead.',
  },
  {
    panel: '.stages-panel',
    text: 'The sampler’s stages remove tokens before the draw. Move a slider: you see which tokens are removed, and why.',
  },
  {
    panel: '.timeline-panel',
    text: 'How uncertain the model was, token by token. Click a bar, or any token of the text, to see its choice again.',
  },
  {
    panel: '.paths-panel',
    text: 'Every path that you took is kept here. Undo takes back the last step.',
  },
];

const SEEN = 'tokenglass-tour';

/** Notes that the user has seen the tour. When the browser forbids storage, each visit shows the
 *  tour. */
function markSeen(): void {
  try {
    localStorage.setItem(SEEN, 'seen');
  } catch {
    // the tour is shown again
  }
}

function wasSeen(): boolean {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return false;
  }
}

/** Index of the stop on the page; undefined: no tour. */
export const stop = signal<number | undefined>(wasSeen() ? undefined : 0);

export function Tour() {
  const at = stop.value;
  useEffect(() => {
    const panel = at === undefined ? null : document.querySelector(STOPS[at]!.panel);
    panel?.classList.add('toured');
    if (at) panel?.scrollIntoView({ block: 'nearest' });
    return () => panel?.classList.remove('toured');
  }, [at]);
  if (at === undefined) return null;
  const end = () => {
    stop.value = undefined;
    markSeen();
  };
  const last = at === STOPS.length - 1;
  return (
    <aside class="tour" aria-label="first tour" data-testid="tour">
      <p role="status">
        <b>
          {at + 1} of {STOPS.length}
        </b>{' '}
        {STOPS[at]!.text}
      </p>
      <Button id="tour-next" main press={() => (last ? end() : (stop.value = at + 1))}>
        {last ? 'Done' : 'Next'}
      </Button>
      <Button id="tour-skip" press={end}>
        Skip
      </Button>
    </aside>
  );
}
