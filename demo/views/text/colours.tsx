/** What the colours of the text mean, and which measure they show. */
import type { Signal } from '@preact/signals';
import type { Measure } from '../../state/display-tokens.js';
import { scales } from '../../state/display-tokens.js';

const MEASURES: readonly Measure[] = ['surprisal', 'rank', 'entropy'];

interface ColoursProps {
  measure: Signal<Measure>;
}

export function ColourChoice({ measure }: ColoursProps) {
  return (
    <label class="colour-choice">
      Colour{' '}
      <select
        data-testid="colour-by"
        value={measure.value}
        onChange={({ currentTarget: { value } }) =>
          (measure.value = MEASURES.find((known) => known === value)!)
        }
      >
        {MEASURES.map((known) => (
          <option key={known} value={known}>
            {scales[known].label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The levels of the colours. */
export function Legend({ measure }: ColoursProps) {
  const { label, names } = scales[measure.value];
  return (
    <ul class="legend" aria-label={`Levels of ${label}`}>
      {names.map((name, level) => (
        <li key={name} class={`token level-${level}`}>
          {name}
        </li>
      ))}
    </ul>
  );
}
