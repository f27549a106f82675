/** The prompt, the text as tokens in the colours of their surprise, and the buttons that make it go on. In: the store. Out: the panel. */
import { useSignal } from '@preact/signals';
import type { Store } from '../state/store.js';
import type { Measure, DisplayToken } from '../state/display-tokens.js';
import { levelOf, scales } from '../state/display-tokens.js';
import { isControl, name, percent } from '../format.js';
import { Chat, Form } from './chat.js';
import { Button } from '../ui/button.js';
import { moveFocus } from '../ui/roving-focus.js';

const MARKED: Record<string, string> = { ' ': 'space', '\n': 'line', '\t': 'tab' }; // the style's names

/** White space gets a mark that is not part of the text: what is copied is what the model wrote. */
function Marked({ text }: { text: string }) {
  const parts = text.split(/([ \n\t])/).filter(Boolean);
  return (
    <>{parts.map((part) => (MARKED[part] ? <span class={MARKED[part]}>{part}</span> : part))}</>
  );
}

/** What a token of the text is called: half a character by its bytes. */
export function told(token: DisplayToken): string {
  const called = isControl(token)
    ? `the control token ${token.text}`
    : name({ ...token, text: token.text || '\ufffd' });
  if (Number.isNaN(token.logprob))
    return `${called}, id ${token.token}, the first: nothing stands before it`;
  const by = { drawn: '', chosen: ', chosen by hand', given: ', given', prompt: ', in the prompt' }[
    token.how
  ];
  const bits = (-token.logprob / Math.LN2).toFixed(1);
  return `${called}, id ${token.token}, ${percent(Math.exp(token.logprob))} (${bits} bits), rank ${(token.rank + 1).toLocaleString('en')}${by}`;
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
  const silent = isControl(token) ? ' special' : token.text === '' ? ' part' : '';
  const pick = () => select(token.index);
  return (
    <span
      class={`token level-${level ?? 'none'} ${token.how}${last ? ' here' : ''}${silent}`}
      role="button"
      aria-pressed={selected}
      aria-label={told(token)}
      title={told(token)}
      tabIndex={selected || last ? 0 : -1}
      data-roving
      data-index={token.index}
      data-level={level}
      {...(token.node ? { 'data-id': token.token } : { 'data-prompt-id': token.token })}
      onClick={pick}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        pick();
      }}
    >
      {isControl(token) && !token.node ? (
        token.text
      ) : (
        <Marked text={isControl(token) ? '' : token.text} />
      )}
      {forks > 1 && <sup aria-hidden="true">{forks}</sup>}
    </span>
  );
}

const MEASURES: readonly Measure[] = ['surprisal', 'rank', 'entropy'];

function Heat({ measure, choose }: { measure: Measure; choose: (measure: Measure) => void }) {
  return (
    <div class="heat">
      <label>
        <span>colour by</span>{' '}
        <select
          data-testid="heat"
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
  loading: 'The model is being loaded.',
  ready: '',
  ended: 'The model has ended its text.',
  full: 'The context is full: no further token fits.',
  failed: '',
};

const SPEEDS = [1, 2, 5, 10, 20, 50, Infinity]; // tokens a second

function Transport({ store }: { store: Store }) {
  const { phase, tree, canUndo, canRedo, speed, locked } = store;
  const running = store.running.value;
  const ready = phase.value === 'ready';
  const pace = Number.isFinite(speed.value)
    ? `${speed.value} tokens a second`
    : 'as fast as it goes';
  return (
    <div class="transport">
      <Button id="step" main off={!ready} press={() => store.step()} keys="S">
        Step
      </Button>
      <Button id="run" off={!ready || running} press={() => store.run()} keys="Space">
        Run
      </Button>
      <Button id="pause" off={!running} press={() => store.pause()} keys="Space">
        Pause
      </Button>
      <Button id="reset" off={!tree.value.at} press={() => store.reset()} keys="R">
        Reset
      </Button>
      <Button id="undo" off={!canUndo.value} press={() => store.undo()} keys="Z">
        Undo
      </Button>
      <Button id="redo" off={!canRedo.value} press={() => store.redo()} keys="Y">
        Redo
      </Button>
      <Button
        id="replay"
        off={!tree.value.at || running}
        press={() => store.replay()}
        hint="Make this text again, draw by draw, and compare"
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
          value={store.seed.value}
          onInput={({ currentTarget: { valueAsNumber: seed } }) => {
            if (Number.isSafeInteger(seed) && seed >= 0) store.setSeed(seed);
          }}
          onBlur={({ currentTarget }) => (currentTarget.value = String(store.seed.value))}
        />
      </label>
      <label
        class="lock"
        title="Locked: each beginning has this seed. Open: Reset takes a new one."
      >
        <input
          data-testid="lock"
          type="checkbox"
          checked={locked.value}
          onChange={({ currentTarget }) => (locked.value = currentTarget.checked)}
        />
        locked
      </label>
    </div>
  );
}

/** What a replay came to, in words. */
function said({ n, differs }: { n: number; differs: number | undefined }): string {
  if (differs === undefined) return `Replayed: ${n} tokens, every one the same.`;
  return `Replayed: token ${differs + 1} came out otherwise. Were the settings changed, or the model?`;
}

export function Text({ store }: { store: Store }) {
  const { phase, prompt, shown, selected, replayed, tree } = store;
  const measure = useSignal<Measure>('surprisal');
  const running = store.running.value;
  const { prompt: promptTokens, made } = shown.value;
  const last = made.at(-1);
  const chat = tree.value.root.chat;
  const counts = store.forks.value;
  const token = (token: DisplayToken) => (
    <Token
      key={token.index}
      token={token}
      measure={measure.value}
      selected={selected.value === token.index}
      last={token === last}
      forks={counts.get(token.node) ?? 0}
      select={(index) => store.select(selected.value === index ? undefined : index)}
    />
  );
  return (
    <section class="text-panel" aria-labelledby="text-title">
      <h2 id="text-title">
        Text <small>click a token to see the choice that made it</small>
      </h2>
      <Chat store={store} />
      {!chat && (
        <label class="field">
          <span>prompt, or a text to be scored</span>
          <textarea
            data-testid="prompt"
            rows={2}
            spellcheck={false}
            value={prompt.value}
            onInput={(event) => store.setPrompt(event.currentTarget.value)}
          />
        </label>
      )}
      <Transport store={store} />
      <div
        class="text"
        role="group"
        aria-label="Tokens of the text; arrows moveFocus, Enter shows a choice"
        onKeyDown={moveFocus}
      >
        <span class="prompt">{promptTokens.length ? promptTokens.map(token) : prompt.value}</span>
        <span data-testid="output">{made.map(token)}</span>
      </div>
      <div class="under">
        <Heat measure={measure.value} choose={(chosen) => (measure.value = chosen)} />
        <Form store={store} />
      </div>
      <p class="note" role="status">
        {NOTES[phase.value]} {replayed.value && said(replayed.value)}
      </p>
      <p class="heard" aria-live="polite">
        {last && !running && !store.busy.value && told(last)}
      </p>
    </section>
  );
}
