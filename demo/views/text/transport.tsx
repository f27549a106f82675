/** The buttons that generate, and the settings of a run. */
import type { Store } from '../../state/store.js';
import { Button } from '../../ui/button.js';
import { NumberField } from '../../ui/number-field.js';
import { takeNext } from './throw.js';

/** The buttons of the loop: next token, run or pause, undo and redo. */
export function MainButtons({ store, redo = true }: { store: Store; redo?: boolean }) {
  const { document, runner, status } = store;
  const running = runner.running.value;
  const ready = status.phase.value === 'ready';
  return (
    <div class="main-buttons">
      <Button id="step" main off={!ready} press={() => takeNext(store)} keys="S">
        Next token <kbd aria-hidden="true">S</kbd>
      </Button>
      {/* one button: its place and the focus stay when a run begins or ends */}
      <Button
        key="run"
        id={running ? 'pause' : 'run'}
        off={!ready && !running}
        press={() => (running ? runner.pause() : runner.run())}
        keys="Space"
      >
        {running ? 'Pause' : 'Run'} <kbd aria-hidden="true">space</kbd>
      </Button>
      <Button
        id="undo"
        off={!document.canUndo.value}
        press={() => document.undo()}
        label="Undo"
        keys="Z"
      >
        ↶
      </Button>
      {redo && <Redo store={store} />}
    </div>
  );
}

/** named: the button shows its name, too. */
export function Redo({ store, named = false }: { store: Store; named?: boolean }) {
  const { document } = store;
  return (
    <Button
      id="redo"
      off={!document.canRedo.value}
      press={() => document.redo()}
      label="Redo"
      keys="Y"
    >
      ↷{named && ' Redo'}
    </Button>
  );
}

const SEEDS = { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true };

/** A field for a seed. */
export function SeedField(props: {
  id: string;
  label: string;
  value: number;
  set: (seed: number) => void;
}) {
  return <NumberField step={1} limits={SEEDS} {...props} />;
}

export function Seed({ store }: { store: Store }) {
  const { sampler } = store;
  return (
    <div class="seed">
      <label>
        Seed{' '}
        <SeedField
          id="seed"
          label="Seed"
          value={sampler.seed.value}
          set={(seed) => sampler.setSeed(seed)}
        />
      </label>
      <Button id="new-seed" press={() => sampler.newSeed()}>
        New seed
      </Button>
    </div>
  );
}

const SPEEDS = [1, 2, 5, 10, 20, 50, Infinity]; // tokens a second

export function Speed({ store }: { store: Store }) {
  const { speed } = store.runner;
  const value = Number.isFinite(speed.value)
    ? `${speed.value} ${speed.value === 1 ? 'token' : 'tokens'}/s`
    : 'max';
  return (
    <label class="speed">
      <span>
        Speed: <b>{value}</b>
      </span>
      <input
        data-testid="speed"
        type="range"
        min={0}
        max={SPEEDS.length - 1}
        step={1}
        value={SPEEDS.indexOf(speed.value)}
        aria-label="Speed"
        aria-valuetext={value}
        onInput={({ currentTarget }) => (speed.value = SPEEDS[currentTarget.valueAsNumber]!)}
      />
    </label>
  );
}

/** Whether something follows what was typed. */
const hasOutput = ({ document }: Store): boolean => {
  const last = document.tokens.value.at(-1);
  return last !== undefined && last.how !== 'typed';
};

export function StartAgain({ store }: { store: Store }) {
  return (
    <Button
      id="restart"
      off={!hasOutput(store)}
      press={() => store.runner.restart()}
      hint="Go back to the end of your text. What was written after it stays as a branch."
      keys="Shift+R"
    >
      Start again
    </Button>
  );
}

/** Generates the text again and compares. */
export function Check({ store }: { store: Store }) {
  const { runner } = store;
  return (
    <Button
      id="check"
      off={!hasOutput(store) || runner.running.value}
      press={() => runner.check()}
      hint="Generate this text again with the same seed, token by token, and compare"
    >
      Check reproducibility
    </Button>
  );
}
