/** A field for a number. */
import { useSignal } from '@preact/signals';

interface Limits {
  min: number;
  max: number;
  whole: boolean;
}

interface NumberFieldProps {
  id: string;
  /** The accessible name. */
  label: string;
  value: number;
  step: number;
  limits: Limits;
  set: (value: number) => void;
}

const WHOLE = /^[-+]?\d+$/; // a comma in a whole number could separate thousands or decimals
const DECIMAL = /^[-+]?(\d+[.,]?\d*|[.,]\d+)$/;

/** The number that the user typed, with a comma or a point before the decimals; undefined for what
 *  is no number within the limits. */
export function numberFrom(typed: string, { min, max, whole }: Limits): number | undefined {
  const text = typed.trim().replace('\u2212', '-');
  if (!(whole ? WHOLE : DECIMAL).test(text)) return undefined;
  const number = Number(text.replace(',', '.'));
  return number >= min && number <= max ? number : undefined;
}

const limitText = ({ min, max, whole }: Limits) =>
  `${whole ? 'a whole number, ' : ''}${min.toLocaleString('en')} to ${max.toLocaleString('en')}`;

/** The field keeps what the user types, and takes over each number that is within the limits. While
 *  the typed text is no such number, the field shows the limits. When the user leaves the field, it
 *  shows the value. The type is text because a number field drops a comma: 1,5 becomes 15. */
export function NumberField({ id, label, value, step, limits, set }: NumberFieldProps) {
  const draft = useSignal<{ typed: string; value: number } | undefined>(undefined);
  // a value that came from elsewhere replaces what was typed
  const typed = draft.value?.value === value ? draft.value.typed : undefined;
  const isWrong = Boolean(typed) && numberFrom(typed!, limits) === undefined;
  const { min, max } = limits;
  const move = (by: number) => {
    const to = Math.min(max, Math.max(min, Number((value + by).toFixed(9))));
    draft.value = undefined;
    set(to);
  };
  return (
    <span class="number-field">
      <input
        class="number"
        type="text"
        inputMode={min < 0 ? 'text' : limits.whole ? 'numeric' : 'decimal'}
        role="spinbutton"
        autocomplete="off"
        data-testid={id}
        aria-label={label}
        aria-valuenow={value}
        aria-valuemin={min}
        aria-valuemax={max}
        aria-invalid={isWrong}
        value={typed ?? String(value)}
        onInput={({ currentTarget: { value: text } }) => {
          const number = numberFrom(text, limits);
          draft.value = { typed: text, value: number ?? value };
          if (number !== undefined) set(number);
        }}
        onKeyDown={(event) => {
          const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
          if (!direction) return;
          event.preventDefault(); // the caret stays
          move(direction * step);
        }}
        onBlur={() => (draft.value = undefined)}
      />
      {isWrong && (
        <span class="limits" role="status" data-testid={`${id}-limits`}>
          {limitText(limits)}
        </span>
      )}
    </span>
  );
}
