/** An option of a stage: a slider with a number field. */
import type { Setting } from '../state/chain.js';
import type { Store } from '../state/store.js';
import { stageWords } from '../state/stage-words.js';
import { NumberField } from '../ui/number-field.js';

interface SettingInputProps {
  setting: Setting;
  value: number;
  set: (value: number) => void;
  /** Comes before the test ids, for settings that are not the page's. */
  prefix?: string;
  /** Shows the option's name and what its values do. */
  named?: boolean;
}

/** An option of any chain. */
export function SettingInput({
  setting,
  value,
  set,
  prefix = '',
  named = false,
}: SettingInputProps) {
  const { name, stage, label, min, max, step, hint, limits } = setting;
  const id = prefix + name.replaceAll('_', '-');
  const { title } = stageWords[stage];
  const fullName = title.toLowerCase() === label ? title : `${title} ${label}`;
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

interface SettingFieldProps {
  store: Store;
  setting: Setting;
  named?: boolean;
}

/** An option of the page's chain. */
export function SettingField({ store, setting, named = false }: SettingFieldProps) {
  const { name } = setting;
  return (
    <SettingInput
      setting={setting}
      value={store.sampler.chain.value.values[name]!}
      set={(value) => store.sampler.set(name, value)}
      named={named}
    />
  );
}
