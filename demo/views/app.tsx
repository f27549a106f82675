/** The whole page: in, the store and what stands around it; out, its panels and dialogs. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Comparison } from '../state/compare.js';
import type { Tokenization } from '../state/tokenization.js';
import type { Store } from '../state/store.js';
import type { Library } from '../state/models.js';
import { count, size } from '../format.js';
import { Choice } from './choice.js';
import { Compare } from './compare.js';
import { Cut } from './tokenization.js';
import { Keys, listen } from './keys.js';
import { Download, Models } from './models.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Paths } from './paths.js';
import { Share } from './share.js';
import { Text } from './text.js';
import { Timeline } from './timeline.js';
import { Tour, stop } from './tour.js';
import { Waterfall } from './waterfall.js';

function Status({ store }: { store: Store }) {
  const { model, decoded, memory, rate, phase, loaded } = store;
  const info = model.value?.info;
  if (!info) {
    return (
      <p class="status" role="status">
        {phase.value === 'failed'
          ? 'no model'
          : `loading the built-in model, ${Math.round(100 * loaded.value)} %`}
      </p>
    );
  }
  const weights = info.quant_types.toSorted((a, b) => b.params - a.params)[0]?.name;
  return (
    <p class="status" data-testid="status" data-decoded={decoded.value}>
      <span>
        {info.name || info.architecture} · {count(info.n_params)} parameters · {weights} ·{' '}
        {size(info.memory.file)}
      </span>
      <span title={info.threads_note && `1 thread: ${info.threads_note}`}>
        {rate.value > 0 && `${rate.value.toFixed(0)} tokens/s · `}
        {info.kernel_variant === 'relaxed' ? 'relaxed SIMD' : 'SIMD'} · {info.n_threads} thread
        {info.n_threads > 1 && 's'} · {size(memory.value)} of memory
      </span>
    </p>
  );
}

type Sheet = 'models' | 'other-model' | 'share' | 'keys' | undefined;

/** A file that is dropped anywhere becomes the model. */
function useDrop(library: Library) {
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
  library: Library;
  comparison: Comparison;
  tokenization: Tokenization;
}

export function App({ store, library, comparison, tokenization }: AppProps) {
  const sheet = useSignal<Sheet>(undefined);
  const comparing = useSignal(false);
  useDrop(library);
  useEffect(() => listen(store, () => (sheet.value = 'keys')), []);
  const close = () => (sheet.value = undefined);
  const opener = (which: Sheet) => () => (sheet.value = which);
  const notice = library.problem.value || store.notice.value;
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
            id="cut-open"
            pressed={tokenization.open.value}
            press={() => (tokenization.open.value = !tokenization.open.value)}
          >
            Cut
          </Button>
          <Button id="share" off={!store.model.value} press={opener('share')}>
            Share
          </Button>
          <Button id="help" press={opener('keys')} label="Keys and help" keys="?">
            ?
          </Button>
        </nav>
      </header>
      {store.failure.value && (
        <p class="notice" role="alert" data-testid="failure">
          {store.failure.value}
        </p>
      )}
      {notice && !sheet.value && (
        <p class="notice" role="alert" data-testid="notice">
          {notice}{' '}
          <Button
            id="dismiss"
            label="Dismiss"
            press={() => {
              store.notice.value = '';
              library.problem.value = '';
            }}
          >
            ×
          </Button>
        </p>
      )}
      {!sheet.value && <Download library={library} />}
      <Tour />
      <main class={store.running.value ? 'running' : ''} aria-busy={store.busy.value}>
        <Text store={store} />
        <Choice store={store} />
        <Waterfall store={store} />
        <Timeline store={store} />
        <Paths store={store} />
        {tokenization.open.value && (
          <Cut
            {...{ store, tokenization, library }}
            choose={opener('other-model')}
            same={() => comparison.setOther(undefined)}
          />
        )}
        {comparing.value && (
          <Compare
            store={store}
            comparison={comparison}
            library={library}
            choose={opener('other-model')}
          />
        )}
      </main>
      <Dialog id="models-sheet" title="Models" open={sheet.value === 'models'} close={close}>
        <Models library={library} into={undefined} done={close} />
      </Dialog>
      <Dialog
        id="other-sheet"
        title="The model of side B"
        open={sheet.value === 'other-model'}
        close={close}
      >
        <Models library={library} into={(model) => void comparison.setOther(model)} done={close} />
      </Dialog>
      <Dialog id="share-sheet" title="Share" open={sheet.value === 'share'} close={close}>
        <Share store={store} done={close} />
      </Dialog>
      <Dialog id="keys-sheet" title="Keys and help" open={sheet.value === 'keys'} close={close}>
        <Keys
          tour={() => {
            close();
            stop.value = 0;
          }}
        />
      </Dialog>
    </>
  );
}
