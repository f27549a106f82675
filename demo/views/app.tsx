/** The whole page: the header, the panels and the dialogs. */
import { useEffect } from 'preact/hooks';
import type { Store } from '../state/store.js';
import type { ModelLibrary } from '../state/models.js';
import { count, size } from '../format.js';
import { DownloadProgress } from './download.js';
import { listenToKeys } from './keys.js';
import { Button } from '../ui/button.js';
import { MessageText } from '../ui/message.js';
import { Ledger } from './ledger.js';
import { PathsPanel } from './paths.js';
import type { SheetName } from './sheets.js';
import { Sheets, openSheet } from './sheets.js';
import { TextPanel } from './text.js';
import { TimelinePanel } from './timeline.js';
import { Tour, stop } from './tour.js';
import { WhyPanel } from './why.js';

function Status({ store }: { store: Store }) {
  const { engine, runner, status } = store;
  const info = engine.model.value?.info;
  const rate = runner.rate.value;
  if (!info) {
    return (
      <p class="status" role="status">
        {status.phase.value === 'failed'
          ? 'no model'
          : `loading the built-in model, ${Math.round(100 * status.loaded.value)} %`}
      </p>
    );
  }
  const weights = info.quant_types.toSorted((a, b) => b.params - a.params)[0]?.name;
  return (
    <p class="status" data-testid="status" data-decoded={engine.decoded.value}>
      <span>
        {info.name || info.architecture} · {count(info.n_params)} parameters · {weights} ·{' '}
        {size(info.memory.file)}
      </span>
      <span title={info.threads_note && `1 thread: ${info.threads_note}`}>
        {rate > 0 && `${rate.toFixed(0)} tokens/s · `}
        {info.kernel_variant === 'relaxed' ? 'relaxed SIMD' : 'SIMD'} · {info.n_threads} thread
        {info.n_threads > 1 && 's'} · {size(engine.memory.value)} of memory
      </span>
    </p>
  );
}

/** A file that the user drops on the page becomes the model. */
function useDrop(library: ModelLibrary) {
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes('Files')) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      const [file] = event.dataTransfer?.files ?? [];
      if (!file) return;
      event.preventDefault();
      void library.load(file.name, file);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('drop', drop);
    };
  }, []);
}

export function App({ store, library }: { store: Store; library: ModelLibrary }) {
  useDrop(library);
  useEffect(() => listenToKeys(store, () => (openSheet.value = 'help')), []);
  const opener = (name: SheetName) => () => (openSheet.value = name);
  const notice = library.problem.value || store.status.notice.value;
  return (
    <>
      <header>
        <h1 class="mark">
          token<i>glass</i>
        </h1>
        <Status store={store} />
        <nav aria-label="tools">
          <Button id="models" press={opener('models')}>
            Models
          </Button>
          <Button id="compare" press={opener('compare')}>
            Compare
          </Button>
          <Button id="tokenizer" press={opener('tokenizer')}>
            Tokenizer
          </Button>
          <Button id="share" off={!store.engine.model.value} press={opener('share')}>
            Share
          </Button>
          <Button id="developers" press={opener('developers')}>
            For developers
          </Button>
          <Button id="help" press={opener('help')} label="Keys and help" keys="?">
            ?
          </Button>
        </nav>
      </header>
      {store.status.failure.value && (
        <div class="notice" role="alert" data-testid="failure">
          <MessageText message={store.status.failure.value} />
        </div>
      )}
      {notice && !openSheet.value && (
        <div class="notice" role="alert" data-testid="notice">
          <MessageText message={notice} />{' '}
          <Button
            id="dismiss"
            label="Dismiss"
            press={() => {
              store.status.notice.value = '';
              library.problem.value = '';
            }}
          >
            ×
          </Button>
        </div>
      )}
      {!openSheet.value && <DownloadProgress library={library} />}
      <Tour />
      <main class={store.runner.running.value ? 'running' : ''} aria-busy={store.queue.busy.value}>
        <TextPanel store={store} />
        <Ledger store={store} />
        <WhyPanel store={store} />
        <TimelinePanel store={store} />
        <PathsPanel store={store} />
      </main>
      <Sheets store={store} library={library} introduce={() => (stop.value = 0)} />
    </>
  );
}
