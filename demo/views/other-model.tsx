/** The dialog that loads a second model, for the comparison and for the tokenizer. */
import type { Model } from 'tokenglass';
import type { ModelLibrary } from '../state/models.js';
import { Dialog } from '../ui/dialog.js';
import { lazy } from '../ui/lazy.js';

const Models = lazy(
  'the list of models',
  () => import('./models.js'),
  (module) => module.ModelsSheet,
);

interface OtherModelProps {
  library: ModelLibrary;
  open: boolean;
  close: () => void;
  take: (model: Model) => void;
}

export function OtherModelDialog({ library, open, close, take }: OtherModelProps) {
  return (
    <Dialog id="other-dialog" title="The second model" wide open={open} close={close}>
      <Models library={library} into={take} done={close} />
    </Dialog>
  );
}
