/** A slider for one option of a sampler stage. */
import { stageTitle } from '../format.js';
import type { Setting } from '../state/chain.js';

export function Slider({
  setting,
  value,
  set,
  id,
}: {
  setting: Setting;
  value: number;
  set: (value: number) => void;
  id: string;
}) {
  return (
    <label class="slider" title={setting.hint}>
      <span>
        {setting.label} <output>{value}</output>
      </span>
      <input
        data-testid={id}
        type="range"
        aria-label={`${stageTitle(setting.stage)} ${setting.label}: ${setting.hint}`}
        min={setting.min}
        max={setting.max}
        step={setting.step}
        value={value}
        onInput={(event) => set(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
