/** The panel of the text: the prompt, the tokens coloured by surprisal, and the buttons that
 *  generate. */
import { useSignal } from '@preact/signals';
import type { Store } from '../state/store.js';
import type { Measure, DisplayToken } from '../state/display-tokens.js';
import { levelOf, scales } from '../state/display-tokens.js';
import { isControl, name, percent } from '../format.js';
import { Chat } from './chat.js';
import { OutputFormatField } from './output-format.js';
import { Button } from '../ui/button.js';
import { moveFocus } from '../ui/roving-focus.js';

// CSS classes of white space
const SPACE_CLASSES: Record<string, string> = { ' ': 'space', '\n': 'line', '\t': 'tab' };

/** A text with marks on its white space. CSS draws the marks, so the user copies only the text. */
function MarkedText({ text }: { text: string }) {
  const parts = text.split(/([ \n\t])/).filter(Boolean);
  return (
    <>
      {parts.map((part) =>
        SPACE_CLASSES[part] ? <span class={SPACE_CLASSES[part]}>{part}</span> : part,
      )}
    </>
  );
}

/** Describes a token of the text. A part of a character is named by its bytes. */
function describe(token: DisplayToken): string {
  const tokenName = isControl(token)
    ? `the control token ${token.piece}`
    : name({ ...token, text: token.text || '\ufffd' });
  if (Number.isNaN(token.logprob)) return `${tokenName}, id ${token.token}, the first token`;
  const origin = {
    drawn: '',
    chosen: ', chosen by hand',
    given: ', given',
    typed: '',
  }[token.how];
  const bits = (-token.logprob / Math.LN2).toFixed(1);
  return `${tokenName}, id ${token.token}, ${percent(Math.exp(token.logprob))} (${bits} bits), rank ${(token.rank + 1).toLocaleString('en')}${origin}`;
}

interface TokenProps {
  token: DisplayToken;
  measure: Measure;
  selected: boolean;
  last: boolean;
  forks: number;
  select: (index: number) => void;
}

function Token({ token, measure, selected, last, forks, select }: TokenProps) {
  const level = levelOf(measure, token);
  const kindClass = isControl(token) ? ' special' : token.text === '' ? ' part' : '';
  const selectThis = () => select(token.index);
  return (
    <span
      class={`token level-${level ?? 'none'} ${token.how}${last ? ' current' : ''}${kindClass}`}
      role="button"
      aria-pressed={selected}
      aria-label={describe(token)}
      title={describe(token)}
      tabIndex={selected || last ? 0 : -1}
      data-roving
      data-index={token.index}
      data-level={level}
      {...(token.how === 'typed' ? { 'data-prompt-id': token.token } : { 'data-id': token.token })}
      onClick={selectThis}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        selectThis();
      }}
    >
      {isControl(token) ? token.piece : <MarkedText text={token.text} />}
      {forks > 1 && <sup aria-hidden="true">{forks}</sup>}
    </span>
  );
}

const MEASURES: readonly Measure[] = ['surprisal', 'rank', 'entropy'];

function ColourBy({ measure, choose }: { measure: Measure; choose: (measure: Measure) => void }) {
  return (
    <div class="colour-by">
      <label>
        <span>colour by</span>{' '}
        <select
          data-testid="colour-by"
          value={measure}
          onChange={({ currentTarget: { value } }) =>
            choose(MEASURES.find((known) => known === value)!)
          }
        >
          {MEASURES.map((known) => (
            <option key={known} value={known}>
              {scales[known].label}
            </option>
          ))}
        </select>
      </label>
      <ul class="legend" aria-label={`levels of ${scales[measure].label}`}>
        {scales[measure].names.map((label, level) => (
          <li key={label} class={`token level-${level}`}>
            {label}
          </li>
        ))}
      </ul>
    </div>
  );
}

const NOTES = {
  loading: 'The model is loading.',
  ready: '',
  empty: 'This model has no token that begins a text. Type the first word.',
  ended: 'The model has ended its text.',
  full: 'The context is full.',
  failed: '',
};

const SPEEDS = [1, 2, 5, 10, 20, 50, Infinity]; // tokens a second

function Transport({ store }: { store: Store }) {
  const { document, runner, sampler, status } = store;
  const { speed } = runner;
  const running = runner.running.value;
  const ready = status.phase.value === 'ready';
  const atPrompt = document.typedLength.value === document.path.value.length;
  const pace = Number.isFinite(speed.value)
    ? `${speed.value} tokens a second`
    : 'as fast as possible';
  return (
    <div class="transport">
      <Button id="step" main off={!ready} press={() => runner.step()} keys="S">
        Step
      </Button>
      <Button id="run" off={!ready || running} press={() => runner.run()} keys="Space">
        Run
      </Button>
      <Button id="pause" off={!running} press={() => runner.pause()} keys="Space">
        Pause
      </Button>
      <Button id="reset" off={atPrompt} press={() => runner.restart()} keys="R">
        Reset
      </Button>
      <Button id="undo" off={!document.canUndo.value} press={() => document.undo()} keys="Z">
        Undo
      </Button>
      <Button id="redo" off={!document.canRedo.value} press={() => document.redo()} keys="Y">
        Redo
      </Button>
      <Button
        id="replay"
        off={atPrompt || running}
        press={() => runner.check()}
        hint="Generate this text again, draw by draw, and compare"
      >
        Replay
      </Button>
      <label class="speed">
        speed
        <input
          data-testid="speed"
          type="range"
          min={0}
          max={SPEEDS.length - 1}
          step={1}
          value={SPEEDS.indexOf(speed.value)}
          aria-valuetext={pace}
          title={pace}
          onInput={({ currentTarget }) => (speed.value = SPEEDS[currentTarget.valueAsNumber]!)}
        />
      </label>
      <label class="seed">
        seed
        <input
          data-testid="seed"
          type="number"
          required
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          step={1}
          value={sampler.seed.value}
          onInput={({ currentTarget: { valueAsNumber: seed } }) => {
            if (Number.isSafeInteger(seed) && seed >= 0) sampler.setSeed(seed);
          }}
          onBlur={({ currentTarget }) => (currentTarget.value = String(sampler.seed.value))}
        />
      </label>
    </div>
  );
}

/** The result of a replay as a sentence. */
function replayResult({ n, differs }: { n: number; differs: number | undefined }): string {
  if (differs === undefined) return `Replayed: ${n} tokens, all the same.`;
  return `Replayed: token ${differs + 1} is different. Did the settings or the model change?`;
}

export function TextPanel({ store }: { store: Store }) {
  const { document, inspector, runner, status } = store;
  const { selected } = inspector;
  const measure = useSignal<Measure>('surprisal');
  const running = runner.running.value;
  const tokens = document.tokens.value;
  const last = tokens.at(-1);
  const chat = document.chat.value;
  const forks = document.forks.value;
  const token = (token: DisplayToken) => (
    <Token
      key={token.index}
      token={token}
      measure={measure.value}
      selected={selected.value === token.index}
      last={token === last}
      forks={forks.get(token.node) ?? 0}
      select={(index) => inspector.select(selected.value === index ? undefined : index)}
    />
  );
  return (
    <section class="text-panel" aria-labelledby="text-title">
      <h2 id="text-title">
        Text <small>click a token to see its choice</small>
      </h2>
      <Chat store={store} />
      {!chat && (
        <label class="field">
          <span>prompt, or a text to score</span>
          <textarea
            data-testid="editor"
            rows={2}
            spellcheck={false}
            value={document.text.value}
            onInput={(event) => document.setText(event.currentTarget.value)}
          />
        </label>
      )}
      <Transport store={store} />
      <div
        class="text"
        role="group"
        aria-label="Tokens of the text; arrow keys move, Enter shows a choice"
        onKeyDown={moveFocus}
      >
        {tokens.map(token)}
        {document.rest.value}
      </div>
      <div class="under">
        <ColourBy measure={measure.value} choose={(chosen) => (measure.value = chosen)} />
        <OutputFormatField store={store} />
      </div>
      <p class="note" role="status">
        {NOTES[status.phase.value]} {runner.checked.value && replayResult(runner.checked.value)}
      </p>
      <p class="heard" aria-live="polite">
        {last && !running && !store.queue.busy.value && describe(last)}
      </p>
    </section>
  );
}
