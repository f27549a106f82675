/** A field for a number. */
import { useSignal } from '@preact/signals';

interface NumberFieldProps {
  id: string;
  /** The accessible name. */
  label: string;
  value: number;
  step: number;
  limits: { min: number; max: number; whole: boolean };
  set: (value: number) => void;
}

/** The field keeps what the user types, and takes over each number that is within the limits. When
 *  the user leaves the field, it shows the value. */
export function NumberField({ id, label, value, step, limits, set }: NumberFieldProps) {
  const draft = useSignal<string | undefined>(undefined);
  return (
    <input
      class="number"
      type="number"
      data-testid={id}
      aria-label={label}
      min={limits.min}
      max={limits.max}
      step={step}
      value={draft.value ?? String(value)}
      onInput={({ currentTarget: { value: typed, valueAsNumber: number } }) => {
        draft.value = typed;
        const isWanted = number >= limits.min && number <= limits.max;
        if (isWanted && (!limits.whole || Number.isInteger(number))) set(number);
      }}
      onBlur={() => (draft.value = undefined)}
    />
  );
}
