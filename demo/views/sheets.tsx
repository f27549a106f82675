/** The dialogs of the page: which one is open, and the modules that they load when they open. */
import { signal } from '@preact/signals';
import type { ModelLibrary } from '../state/models.js';
import type { Store } from '../state/store.js';
import { Dialog } from '../ui/dialog.js';
import { lazy } from '../ui/lazy.js';

export type SheetName = 'models' | 'share' | 'compare' | 'tokenizer' | 'developers' | 'help';

/** The sheet that is open. */
export const openSheet = signal<SheetName | undefined>(undefined);

export const closeSheet = (): void => {
  openSheet.value = undefined;
};

const Models = lazy(
  'the list of models',
  () => import('./models.js'),
  (module) => module.ModelsSheet,
);
const Share = lazy(
  'the links',
  () => import('./share.js'),
  (module) => module.ShareSheet,
);
const Compare = lazy(
  'the comparison',
  () => import('./compare.js'),
  (module) => module.CompareSheet,
);
const Tokenizer = lazy(
  'the tokenizer',
  () => import('./tokenization.js'),
  (module) => module.TokenizerSheet,
);
const Developers = lazy(
  'the code',
  () => import('./developers.js'),
  (module) => module.DevelopersSheet,
);
const Help = lazy(
  'the help',
  () => import('./help.js'),
  (module) => module.HelpSheet,
);

interface SheetsProps {
  store: Store;
  library: ModelLibrary;
  /** Shows the introduction again. */
  introduce: () => void;
}

export function Sheets({ store, library, introduce }: SheetsProps) {
  const props = (name: SheetName) => ({ open: openSheet.value === name, close: closeSheet });
  return (
    <>
      <Dialog id="models-dialog" title="Models" wide {...props('models')}>
        <Models library={library} into={undefined} done={closeSheet} />
      </Dialog>
      <Dialog id="share-dialog" title="Share" {...props('share')}>
        <Share store={store} done={closeSheet} />
      </Dialog>
      <Dialog id="compare-dialog" title="Compare" wide {...props('compare')}>
        <Compare store={store} library={library} />
      </Dialog>
      <Dialog id="tokenizer-dialog" title="Tokenizer" wide {...props('tokenizer')}>
        <Tokenizer store={store} library={library} />
      </Dialog>
      <Dialog id="developers-dialog" title="For developers" wide {...props('developers')}>
        <Developers store={store} library={library} />
      </Dialog>
      <Dialog id="help-dialog" title="Keys and help" {...props('help')}>
        <Help
          introduce={() => {
            closeSheet();
            introduce();
          }}
        />
      </Dialog>
    </>
  );
}
