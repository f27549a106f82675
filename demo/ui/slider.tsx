/** A slider for one option of a sampler stage. */
import { stageTitle } from '../format.js';

interface SliderProps {
  id: string;
  setting: {
    stage: string;
    label: string;
    hint: string;
    min: number;
    max: number;
    step: number;
  };
  value: number;
  set: (value: number) => void;
}

export function Slider({ id, setting, value, set }: SliderProps) {
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
