/** The whole page: the header, the panels and the dialogs. */
import { useEffect } from 'preact/hooks';
import type { ModelLibrary } from '../state/models.js';
import type { Store } from '../state/store.js';
import { Button } from '../ui/button.js';
import { isPhone } from '../ui/media.js';
import { MessageText } from '../ui/message.js';
import { BranchesPanel } from './branches.js';
import { StageChips } from './chips.js';
import { Header } from './header.js';
import { Introduction, introduce } from './introduction.js';
import { listenToKeys } from './keys.js';
import { Ledger } from './ledger.js';
import { DownloadProgress } from './download.js';
import { Sheets, openSheet } from './sheets.js';
import { SurprisePanel } from './surprise.js';
import { SettingsPanel, TextPanel } from './text/panel.js';
import { MainButtons } from './text/transport.js';
import { WhyPanel } from './why.js';

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

/** Messages about what went wrong. */
function Notices({ store, library }: { store: Store; library: ModelLibrary }) {
  const failure = store.status.failure.value;
  const notice = library.problem.value || store.status.notice.value;
  return (
    <>
      {failure && (
        <div class="notice" role="alert" data-testid="failure">
          <MessageText message={failure} />
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
    </>
  );
}

/** On a phone: the buttons of the loop and the sliders, always at the bottom of the window. */
function ActionBar({ store }: { store: Store }) {
  return (
    <div class="action-bar" role="region" aria-label="Next token and sampling">
      <StageChips store={store} />
      <MainButtons store={store} redo={false} />
    </div>
  );
}

export function App({ store, library }: { store: Store; library: ModelLibrary }) {
  useDrop(library);
  useEffect(() => listenToKeys(store, () => (openSheet.value = 'help')), []);
  const narrow = isPhone.value;
  return (
    <>
      <a class="skip" href="#text-title">
        Skip to the text
      </a>
      <Header store={store} />
      <Notices store={store} library={library} />
      {!openSheet.value && <DownloadProgress library={library} />}
      <main class={store.runner.running.value ? 'running' : ''} aria-busy={store.queue.busy.value}>
        <TextPanel store={store} />
        <Ledger store={store} />
        <div class="rail">
          <WhyPanel store={store} />
          <BranchesPanel store={store} />
          <SurprisePanel store={store} />
        </div>
        {narrow && <SettingsPanel store={store} />}
      </main>
      {narrow && <ActionBar store={store} />}
      <Introduction />
      <Sheets store={store} library={library} introduce={introduce} />
    </>
  );
}
