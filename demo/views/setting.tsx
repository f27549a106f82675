/** An option of a stage: a slider with a number field. */
import type { Setting } from '../state/chain.js';
import type { Store } from '../state/store.js';
import { stageWords } from '../state/stage-words.js';
import { NumberField } from '../ui/number-field.js';

interface SettingFieldProps {
  store: Store;
  setting: Setting;
  /** Shows the option's name and what its values do. */
  named?: boolean;
}

export function SettingField({ store, setting, named = false }: SettingFieldProps) {
  const { name, stage, label, min, max, step, hint, limits } = setting;
  const id = name.replaceAll('_', '-');
  const { title } = stageWords[stage];
  const fullName = title.toLowerCase() === label ? title : `${title} ${label}`;
  const value = store.sampler.chain.value.values[name]!;
  const set = (value: number) => store.sampler.set(name, value);
  return (
    <div class={`setting${named ? ' named' : ''}`}>
      {named && (
        <span class="setting-name" aria-hidden="true">
          {label} <small>{hint}</small>
        </span>
      )}
      <input
        data-testid={id}
        type="range"
        aria-label={`${fullName}: ${hint}`}
        title={hint}
        min={min}
        max={max}
        step={step}
        value={value}
        onInput={(event) => set(event.currentTarget.valueAsNumber)}
      />
      <NumberField
        id={`${id}-number`}
        label={`${fullName}, number`}
        value={value}
        step={step}
        limits={limits}
        set={set}
      />
    </div>
  );
}
