/** The prompt, the text made so far, and the buttons that make it go on. In: the instrument. Out: the panel. */
import type { Instrument, Made } from '../state.js';
import { percent, visible } from '../visible.js';

const SURPRISING = 6; // nats at which the underline is at its strongest

function Token({ made, last }: { made: Made; last: boolean }) {
  const strength = Math.min(1, -made.logprob / SURPRISING);
  const title = `${visible(made.text || '\ufffd', made.bytes)}, id ${made.token}, ${percent(Math.exp(made.logprob))}`;
  const silent = made.bytes.length === 0 ? ' end' : made.text === '' ? ' part' : '';
  return (
    <span
      class={`token${last ? ' here' : ''}${silent}${made.text.includes('\n') ? ' line' : ''}`}
      style={{ '--heat': strength.toFixed(3) }}
      title={title}
      data-id={made.token}
    >
      {made.text}
    </span>
  );
}

const NOTES = {
  loading: 'The model is being loaded.',
  ready: '',
  running: '',
  ended: 'The model has ended its text.',
  full: 'The context is full: no further token fits.',
  failed: '',
};

export function Text({ instrument }: { instrument: Instrument }) {
  const { phase, prompt, made, over } = instrument;
  const running = phase.value === 'running';
  const idle = phase.value === 'loading' || phase.value === 'failed';
  return (
    <section class="text-panel" aria-labelledby="text-title">
      <h2 id="text-title">
        Text <small>each token underlined by its surprise</small>
      </h2>
      <label class="field">
        <span>prompt</span>
        <textarea
          data-testid="prompt"
          rows={2}
          spellcheck={false}
          value={prompt.value}
          onInput={(event) => instrument.setPrompt(event.currentTarget.value)}
        />
      </label>
      <div class="transport">
        <button type="button" class="main" data-testid="step" disabled={idle || over.value} onClick={() => instrument.step()}>
          Step
        </button>
        <button type="button" data-testid="run" disabled={idle || running || over.value} onClick={() => instrument.run()}>
          Run
        </button>
        <button type="button" data-testid="pause" aria-disabled={!running} onClick={() => instrument.pause()}>
          Pause
        </button>
        <button
          type="button"
          data-testid="reset"
          aria-disabled={idle || made.value.length === 0}
          onClick={() => instrument.reset()}
        >
          Reset
        </button>
        <label class="seed">
          seed
          <input
            data-testid="seed"
            type="number"
            min={0}
            max={Number.MAX_SAFE_INTEGER}
            step={1}
            value={instrument.seed.value}
            onInput={(event) => {
              const seed = event.currentTarget.valueAsNumber;
              if (Number.isSafeInteger(seed) && seed >= 0) instrument.setSeed(seed);
            }}
          />
        </label>
      </div>
      <div class="text">
        <span class="prompt">{prompt.value}</span>
        <span data-testid="output">
          {made.value.map((token, i) => (
            <Token key={i} made={token} last={i === made.value.length - 1} />
          ))}
        </span>
      </div>
      <p class="note" role="status">
        {NOTES[phase.value]}
      </p>
    </section>
  );
}
