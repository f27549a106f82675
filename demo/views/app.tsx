/** The whole page: the header, the panels and the dialogs. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Comparison } from '../state/compare.js';
import type { Tokenization } from '../state/tokenization.js';
import type { Store } from '../state/store.js';
import type { ModelLibrary } from '../state/models.js';
import { count, size } from '../format.js';
import { Ledger } from './ledger.js';
import { ComparePanel } from './compare.js';
import { TokenizationPanel } from './tokenization.js';
import { KeysDialog, listenToKeys } from './keys.js';
import { DownloadProgress, ModelsDialog } from './models.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { PathsPanel } from './paths.js';
import { ShareDialog } from './share.js';
import { TextPanel } from './text.js';
import { TimelinePanel } from './timeline.js';
import { Tour, stop } from './tour.js';

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

type DialogName = 'models' | 'other-model' | 'share' | 'keys' | undefined;

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

interface AppProps {
  store: Store;
  library: ModelLibrary;
  comparison: Comparison;
  tokenization: Tokenization;
}

export function App({ store, library, comparison, tokenization }: AppProps) {
  const dialog = useSignal<DialogName>(undefined);
  const comparing = useSignal(false);
  useDrop(library);
  useEffect(() => listenToKeys(store, () => (dialog.value = 'keys')), []);
  const close = () => (dialog.value = undefined);
  const opener = (name: DialogName) => () => (dialog.value = name);
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
          <Button
            id="compare"
            pressed={comparing.value}
            press={() => {
              if (!comparing.value) comparison.copy();
              comparing.value = !comparing.value;
            }}
          >
            Compare
          </Button>
          <Button
            id="tokenization-open"
            pressed={tokenization.open.value}
            press={() => (tokenization.open.value = !tokenization.open.value)}
          >
            Tokens
          </Button>
          <Button id="share" off={!store.engine.model.value} press={opener('share')}>
            Share
          </Button>
          <Button id="help" press={opener('keys')} label="Keys and help" keys="?">
            ?
          </Button>
        </nav>
      </header>
      {store.status.failure.value && (
        <p class="notice" role="alert" data-testid="failure">
          {store.status.failure.value}
        </p>
      )}
      {notice && !dialog.value && (
        <p class="notice" role="alert" data-testid="notice">
          {notice}{' '}
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
        </p>
      )}
      {!dialog.value && <DownloadProgress library={library} />}
      <Tour />
      <main class={store.runner.running.value ? 'running' : ''} aria-busy={store.queue.busy.value}>
        <TextPanel store={store} />
        <Ledger store={store} />
        <TimelinePanel store={store} />
        <PathsPanel store={store} />
        {tokenization.open.value && (
          <TokenizationPanel
            store={store}
            tokenization={tokenization}
            library={library}
            choose={opener('other-model')}
            removeOther={() => comparison.setOther(undefined)}
          />
        )}
        {comparing.value && (
          <ComparePanel
            store={store}
            comparison={comparison}
            library={library}
            choose={opener('other-model')}
          />
        )}
      </main>
      <Dialog id="models-dialog" title="Models" open={dialog.value === 'models'} close={close}>
        <ModelsDialog library={library} into={undefined} done={close} />
      </Dialog>
      <Dialog
        id="other-dialog"
        title="The model of side B"
        open={dialog.value === 'other-model'}
        close={close}
      >
        <ModelsDialog
          library={library}
          into={(model) => void comparison.setOther(model)}
          done={close}
        />
      </Dialog>
      <Dialog id="share-dialog" title="Share" open={dialog.value === 'share'} close={close}>
        <ShareDialog store={store} done={close} />
      </Dialog>
      <Dialog id="keys-dialog" title="Keys and help" open={dialog.value === 'keys'} close={close}>
        <KeysDialog
          tour={() => {
            close();
            stop.value = 0;
          }}
        />
      </Dialog>
    </>
  );
}
