/** A short guided first run: a strip that points at one panel after the other. It can be skipped, is not shown a second time by itself, and comes back on demand. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../ui/button.js';

const STOPS: readonly { panel: string; text: string }[] = [
  {
    panel: '.text-panel',
    text: 'A language model goes on with this text, one token at a time. Press Step: it draws one.',
  },
  {
    panel: '.choice-panel',
    text: 'Here is what it could have drawn, with every probability. Click any candidate to go on with that one instead.',
  },
  {
    panel: '.stages-panel',
    text: 'Between the model and the draw stand the sampler’s stages. Move a slider: tokens fall, and you see why.',
  },
  {
    panel: '.timeline-panel',
    text: 'How unsure the model was, token by token. Click a bar, or any token of the text, to go back to its choice.',
  },
  {
    panel: '.paths-panel',
    text: 'Nothing is lost: every path that you took is kept here. Undo takes back the last step.',
  },
];

const SEEN = 'tokenglass-tour';

/** Storage may be forbidden: then the tour is shown each time. */
function remember(): void {
  try {
    localStorage.setItem(SEEN, 'seen');
  } catch {
    // nothing depends on it
  }
}

function seen(): boolean {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return false;
  }
}

/** undefined: not shown. */
export const stop = signal<number | undefined>(seen() ? undefined : 0);

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
    remember();
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
