/** The panel of the text: the editor with the coloured tokens, the buttons that generate, and the
 *  settings of a run. On a phone, the buttons are in a bar and the settings in a panel below. */
import { signal } from '@preact/signals';
import type { Measure } from '../../state/display-tokens.js';
import type { Store } from '../../state/store.js';
import { isPhone } from '../../ui/media.js';
import { Chat } from '../chat.js';
import { OutputFormatField } from '../output-format.js';
import { Colours } from './colours.js';
import { describe } from './describe.js';
import { Editor } from './editor.js';
import { Notes } from './notes.js';
import { MainButtons, Seed, Speed, TextButtons } from './transport.js';

const measure = signal<Measure>('surprisal');

/** What a screen reader says, once the page rests: the selected token, or the newest one. */
function Spoken({ store }: { store: Store }) {
  const tokens = store.document.tokens.value;
  const selected = store.inspector.selected.value;
  const token = selected === undefined ? tokens.at(-1) : tokens[selected];
  const rests = !store.runner.running.value && !store.queue.busy.value;
  return (
    <p class="heard" aria-live="polite">
      {token && rests && describe(token)}
    </p>
  );
}

export function TextPanel({ store }: { store: Store }) {
  return (
    <section class="text-panel" aria-labelledby="text-title">
      <h2 id="text-title">
        Text <small>click any token to see what else could have stood there</small>
      </h2>
      <Chat store={store} />
      <Editor store={store} measure={measure.value} />
      <Notes store={store} />
      {!isPhone.value && (
        <>
          <div class="transport">
            <MainButtons store={store} />
            <TextButtons store={store} />
            <Speed store={store} />
            <Seed store={store} />
          </div>
          <div class="under">
            <Colours measure={measure} />
            <OutputFormatField store={store} />
          </div>
        </>
      )}
      <Spoken store={store} />
    </section>
  );
}

/** What the text panel has below its buttons; on a phone, a panel of its own at the end. */
export function SettingsPanel({ store }: { store: Store }) {
  return (
    <section class="settings-panel" aria-labelledby="settings-title">
      <h2 id="settings-title">Text and run</h2>
      <div class="transport">
        <Seed store={store} />
        <TextButtons store={store} />
        <Speed store={store} />
      </div>
      <div class="under">
        <Colours measure={measure} />
        <OutputFormatField store={store} />
      </div>
    </section>
  );
}
