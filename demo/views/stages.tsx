/** From logits to the draw: a column a stage, with its slider, what it removed and why. In: the instrument. Out: the panel. */
import type { ComponentChildren } from 'preact';
import type { StageTrace } from '../../web/index.js';
import type { Instrument, Setting } from '../state.js';
import { settings } from '../state.js';
import { percent } from '../visible.js';

function Slider({ setting, instrument }: { setting: Setting; instrument: Instrument }) {
  const value = instrument.values.value[setting.name];
  const id = setting.name.replaceAll('_', '-');
  return (
    <label class="slider">
      <span>
        {setting.label} <output>{value}</output>
      </span>
      <input
        data-testid={id}
        type="range"
        min={setting.min}
        max={setting.max}
        step={setting.step}
        value={value}
        aria-describedby={`${id}-hint`}
        onInput={(event) => instrument.set(setting.name, event.currentTarget.valueAsNumber)}
      />
      <small id={`${id}-hint`}>{setting.hint}</small>
    </label>
  );
}

/** The raw probability that came in, split into what the stage let through and what it took away. */
function Mass({ stage }: { stage: StageTrace }) {
  const gone = Math.max(0, stage.mass_before - stage.mass_after);
  return (
    <div class="mass" role="img" aria-label={`${percent(stage.mass_after)} kept, ${percent(gone)} removed`}>
      <span class="kept" style={{ width: `${100 * stage.mass_after}%` }} />
      <span class="out" style={{ width: `${100 * gone}%` }} />
    </div>
  );
}

/** The stages with sliders that are not shown at once. */
const more = [...new Set(settings.filter(({ first }) => !first).map(({ stage }) => stage))];

function Stage({ stage, name, children }: { stage: StageTrace | undefined; name: string; children: ComponentChildren }) {
  return (
    <div class="stage" data-testid={`stage-${name}`}>
      {children}
      {stage && (
        <>
          <Mass stage={stage} />
          <p>
            <b>{stage.kept.toLocaleString('en')}</b> kept,{' '}
            <b class={stage.removed ? 'lost' : ''}>{stage.removed.toLocaleString('en')}</b> removed
          </p>
          <p class="reason">{stage.reason.replace(/^\w+: /, '')}</p>
        </>
      )}
    </div>
  );
}

export function Stages({ instrument }: { instrument: Instrument }) {
  const trace = instrument.trace.value;
  return (
    <section class="stages-panel" aria-labelledby="stages-title">
      <h2 id="stages-title">
        From logits to the draw <small>move a slider: the step is sampled again, the model is not run</small>
      </h2>
      <div class="stages">
        {settings
          .filter(({ first }) => first)
          .map((setting) => (
            <Stage key={setting.name} stage={trace?.stages.find(({ name }) => name === setting.stage)} name={setting.name}>
              <Slider setting={setting} instrument={instrument} />
            </Stage>
          ))}
      </div>
      <details class="more-stages" data-testid="more-stages">
        <summary>
          More stages:{' '}
          {more.map((name) => (name === 'temperature' ? 'dynamic temperature' : name.replaceAll('_', '-'))).join(', ')}
        </summary>
        <div class="stages">
          {more.map((name) => (
            <Stage key={name} stage={trace?.stages.find((stage) => stage.name === name)} name={name}>
              {settings
                .filter((setting) => setting.stage === name && !setting.first)
                .map((setting) => (
                  <Slider key={setting.name} setting={setting} instrument={instrument} />
                ))}
            </Stage>
          ))}
        </div>
      </details>
    </section>
  );
}
