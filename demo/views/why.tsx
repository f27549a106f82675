/** *Why*: sentences with live numbers about the cell or the column that the user points at. */
import type { Store } from '../state/store.js';
import type { Place, Situation } from '../state/why.js';
import { explain } from '../state/why.js';
import { isPhone } from '../ui/media.js';
import { Say } from './say.js';
import { TokenBias } from './token-bias.js';

/** Where the choice on the page is. */
export function placeOf({ inspector, status }: Store): Place {
  if (inspector.selected.value !== undefined) return 'earlier';
  return status.phase.value === 'ready' ? 'next' : 'ended';
}

export const situationOf = (store: Store): Situation => ({
  place: placeOf(store),
  seed: store.sampler.seed.value,
  index: store.inspector.selected.value ?? store.document.path.value.length,
});

/** The sentences alone. */
export function WhyText({ store }: { store: Store }) {
  const table = store.inspector.table.value;
  if (!table) return null;
  const focus = store.inspector.focus.value;
  const row = focus && table.rows.find(({ token }) => token === focus.token);
  const { title, lines } = explain(table, focus, situationOf(store));
  return (
    <>
      <h3>
        <Say sentence={title} />
      </h3>
      {lines.map((line, i) => (
        <p key={i}>
          <Say sentence={line} />
        </p>
      ))}
      {row && <TokenBias store={store} row={row} />}
    </>
  );
}

export function WhyPanel({ store }: { store: Store }) {
  const { table, focus } = store.inspector;
  return (
    <section class="why-panel" aria-labelledby="why-title" data-testid="why">
      <h2 id="why-title" class="heard">
        Why
      </h2>
      {table.value && <WhyText store={store} />}
      {table.value && !focus.value && (
        <p class="hint">
          {isPhone.value
            ? 'Tap any number of the table, and read what it means. Tap a chip below to move its slider: the model does not run again.'
            : 'Click any number of the table, or ? in a column’s head, and read here what it means. Turn steps on, drag them, move sliders: the model does not run again.'}
        </p>
      )}
    </section>
  );
}
