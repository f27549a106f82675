/** The page's header: the model, the engine's rate, and what opens the dialogs. */
import type { Store } from '../state/store.js';
import { count, size } from '../format.js';
import { Button } from '../ui/button.js';
import { isPhone } from '../ui/media.js';
import { Menu } from '../ui/menu.js';
import type { SheetName } from './sheets.js';
import { openSheet } from './sheets.js';
import { EditButton } from './text/editor.js';

/** The engine's rate during a run and after it. */
function Rate({ store }: { store: Store }) {
  const rate = store.runner.rate.value;
  if (rate === 0) return null;
  const digits = rate < 10 ? 1 : 0;
  const text = rate.toLocaleString('en', { maximumFractionDigits: digits });
  return (
    <span class="rate" data-testid="rate" data-rate={rate} title="The engine's speed in this run">
      {text} tokens/s
    </span>
  );
}

/** What runs the model: for those who want to know. */
function EngineTable({ store }: { store: Store }) {
  const { engine } = store;
  const info = engine.model.value;
  if (!info) return null;
  const { n_params, quant_types, memory, kernel_variant, n_threads, threads_note } = info.info;
  const weights = quant_types.toSorted((a, b) => b.params - a.params)[0]?.name;
  const rows: [string, string][] = [
    ['Parameters', count(n_params)],
    ['Weights', `${weights}, ${size(memory.file)}`],
    ['Engine', kernel_variant === 'relaxed' ? 'relaxed SIMD' : 'SIMD'],
    ['Threads', `${n_threads}${threads_note ? ` (${threads_note})` : ''}`],
    ['Memory', size(engine.memory.value)],
    ['Tokens run', engine.decoded.value.toLocaleString('en')],
  ];
  return (
    <dl>
      {rows.map(([term, text]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function EngineDetails({ store }: { store: Store }) {
  if (!store.engine.model.value) return null;
  return (
    <Menu id="details" label="Details of the model and the engine" sign="i">
      <EngineTable store={store} />
    </Menu>
  );
}

const TOOLS: readonly [SheetName, string][] = [
  ['share', 'Share'],
  ['compare', 'Compare'],
  ['tokenizer', 'Tokenizer'],
  ['developers', 'For developers'],
];

function Tools({ store }: { store: Store }) {
  const off = !store.engine.model.value;
  const open = (name: SheetName) => () => (openSheet.value = name);
  return (
    <nav aria-label="Tools">
      <ModelButton store={store} />
      {TOOLS.map(([name, text]) => (
        <Button key={name} id={name} off={off && name !== 'developers'} press={open(name)}>
          {text}
        </Button>
      ))}
      <Button id="help" press={open('help')} label="Keys and help" keys="?">
        {isPhone.value ? 'Keys and help' : '?'}
      </Button>
    </nav>
  );
}

/** The model's name. A press opens the list of models. */
function ModelButton({ store }: { store: Store }) {
  const info = store.engine.model.value?.info;
  return (
    <Button id="models" press={() => (openSheet.value = 'models')} hint="Choose another model">
      {info ? `${info.name || info.architecture} · ${count(info.n_params)}` : 'Models'} ▾
    </Button>
  );
}

export function Header({ store }: { store: Store }) {
  const decoded = store.engine.decoded.value;
  const narrow = isPhone.value;
  return (
    <header class="page-header">
      <h1 class="mark">
        token<i>glass</i>
      </h1>
      <div class="status" data-testid="status" data-decoded={decoded}>
        <Rate store={store} />
        {!narrow && <EngineDetails store={store} />}
      </div>
      {narrow && <EditButton store={store} />}
      {narrow ? (
        <Menu id="menu" label="Menu" sign="⋯">
          <Tools store={store} />
          <EngineTable store={store} />
        </Menu>
      ) : (
        <Tools store={store} />
      )}
    </header>
  );
}
