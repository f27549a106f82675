/** The prompt, the text made so far, and the buttons that make it go on. In: the instrument. Out: the panel. */
import type { ComponentChildren } from 'preact';
import type { Instrument, Made } from '../state.js';
import { isControl, name, percent } from '../visible.js';

const SURPRISING = 6; // nats at which the underline is at its strongest
const MARKED: Record<string, string> = { ' ': 'space', '\n': 'line', '\t': 'tab' }; // the style's names

/** White space gets a mark that is not part of the text: what is copied is what the model wrote. */
function Marked({ text }: { text: string }) {
  const parts = text.split(/([ \n\t])/).filter(Boolean);
  return <>{parts.map((part) => (MARKED[part] ? <span class={MARKED[part]}>{part}</span> : part))}</>;
}

/** What a token of the text is called: half a character by its bytes. */
function told(made: Made): string {
  const called = isControl(made) ? 'a control token' : name({ ...made, text: made.text || '\ufffd' });
  return `${called}, id ${made.token}, ${percent(Math.exp(made.logprob))}`;
}

function Token({ made, last }: { made: Made; last: boolean }) {
  const strength = Math.min(1, -made.logprob / SURPRISING);
  const silent = isControl(made) ? ' end' : made.text === '' ? ' part' : '';
  return (
    <span
      class={`token${last ? ' here' : ''}${silent}`}
      style={{ '--heat': strength.toFixed(3) }}
      title={told(made)}
      data-id={made.token}
    >
      <Marked text={made.text} />
    </span>
  );
}

interface ButtonProps {
  id: string;
  off: boolean;
  press: () => unknown;
  main?: boolean;
  children: ComponentChildren;
}

/** A button that is off keeps the focus, so that the keyboard's place is not lost when a run ends. */
function Button({ id, off, press, main, children }: ButtonProps) {
  return (
    <button
      type="button"
      class={main ? 'main' : ''}
      data-testid={id}
      aria-disabled={off}
      onClick={() => {
        if (!off) void press();
      }}
    >
      {children}
    </button>
  );
}

const NOTES = {
  loading: 'The model is being loaded.',
  ready: '',
  ended: 'The model has ended its text.',
  full: 'The context is full: no further token fits.',
  failed: '',
};

export function Text({ instrument }: { instrument: Instrument }) {
  const { phase, prompt, made } = instrument;
  const running = instrument.running.value;
  const ready = phase.value === 'ready';
  const last = made.value.at(-1);
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
        <Button id="step" main off={!ready} press={() => instrument.step()}>
          Step
        </Button>
        <Button id="run" off={!ready || running} press={() => instrument.run()}>
          Run
        </Button>
        <Button id="pause" off={!running} press={() => instrument.pause()}>
          Pause
        </Button>
        <Button id="reset" off={made.value.length === 0} press={() => instrument.reset()}>
          Reset
        </Button>
        <label class="seed">
          seed
          <input
            data-testid="seed"
            type="number"
            required
            min={0}
            max={Number.MAX_SAFE_INTEGER}
            step={1}
            value={instrument.seed.value}
            onInput={({ currentTarget: { valueAsNumber: seed } }) => {
              if (Number.isSafeInteger(seed) && seed >= 0) instrument.setSeed(seed);
            }}
            onBlur={({ currentTarget }) => (currentTarget.value = String(instrument.seed.value))}
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
      <p class="heard" aria-live="polite">
        {last && !running && told(last)}
      </p>
    </section>
  );
}
