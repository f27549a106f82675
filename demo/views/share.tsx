/** The sheet that shares the text: a link, the trace as a file, and a file input that opens a
 *  trace. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Store } from '../state/store.js';
import { openTrace, shareLink, traceFile } from '../state/share.js';
import { Button } from '../ui/button.js';

async function download(store: Store) {
  const json = JSON.stringify(await traceFile(store));
  const url = URL.createObjectURL(new Blob([json], { type: 'application/json' }));
  Object.assign(document.createElement('a'), {
    href: url,
    download: 'tokenglass-trace.json',
  }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export function ShareSheet({ store, done }: { store: Store; done: () => void }) {
  const link = useSignal('');
  const copied = useSignal('');
  useEffect(() => {
    shareLink(store, location.href).then(
      (address) => (link.value = address),
      (error: Error) => (copied.value = error.message),
    );
  }, []);
  const copy = () =>
    navigator.clipboard.writeText(link.value).then(
      () => (copied.value = 'Copied.'),
      () =>
        (copied.value =
          'The browser does not allow this page to copy. Select the link and copy it yourself.'),
    );
  return (
    <div class="share">
      <p>
        The link contains the text with all its tokens, the settings and the seed. Anyone who opens
        it with the same model sees the same text and can replay it.
      </p>
      <label class="field">
        <span>Link</span>
        <input
          data-testid="link"
          type="text"
          readOnly
          value={link.value}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      </label>
      <div class="transport">
        <Button id="copy" main off={link.value === ''} press={copy}>
          Copy link
        </Button>
        <span role="status">{copied.value}</span>
      </div>
      <h3>As a file</h3>
      <p>
        A JSON file with every choice: its candidates, its stages and its random number. The package
        can read it too.
      </p>
      <div class="transport">
        <Button id="export" press={() => download(store)}>
          Download trace (JSON)
        </Button>
        <label class="file">
          Open a trace…{' '}
          <input
            data-testid="import"
            type="file"
            accept=".json,application/json"
            onChange={({ currentTarget: { files } }) => {
              const [file] = files ?? [];
              if (file)
                void file
                  .text()
                  .then((json) => openTrace(store, json))
                  .then(done);
            }}
          />
        </label>
      </div>
    </div>
  );
}
