/** The panel of the text: the editor with the coloured tokens, the buttons that generate, and the
 *  settings of a run. On a phone, the buttons are in a bar and the settings in a panel below. */
import { signal } from '@preact/signals';
import type { Measure } from '../../state/display-tokens.js';
import type { Store } from '../../state/store.js';
import { isPhone } from '../../ui/media.js';
import { Menu } from '../../ui/menu.js';
import { Chat } from '../chat.js';
import { OutputFormatField } from '../output-format.js';
import { ColourChoice, Legend } from './colours.js';
import { describe } from './describe.js';
import { EditButton, Editor } from './editor.js';
import { Notes } from './notes.js';
import { Check, MainButtons, Redo, Seed, Speed, StartAgain } from './transport.js';

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

/** Settings of a run that one needs less often. */
function More({ store }: { store: Store }) {
  const format = store.sampler.constraint.format.value;
  const { speed } = store.runner;
  const changed = [format && 'JSON', Number.isFinite(speed.value) && `${speed.value}/s`].filter(
    Boolean,
  );
  return (
    <Menu
      id="more"
      label="More: speed, output format, check"
      sign={['More', ...changed].join(' · ')}
      stays
    >
      <Speed store={store} />
      <OutputFormatField store={store} />
      <Check store={store} />
    </Menu>
  );
}

export function TextPanel({ store }: { store: Store }) {
  const { loaded, phase } = store.status;
  const isLoading = phase.value === 'loading';
  const share = loaded.value;
  return (
    <section class="text-panel" aria-labelledby="text-title">
      <h2 id="text-title" tabIndex={-1}>
        Text{' '}
        <small>
          {isLoading
            ? `loading the built-in model, ${Math.round(100 * share)} %`
            : isPhone.value
              ? 'tap any token to see what else could have stood there'
              : 'click any token to see what else could have stood there'}
        </small>
      </h2>
      {isLoading && (
        <progress class="loading" value={share} max={1} aria-label="Loading the built-in model" />
      )}
      {!isPhone.value && <Legend measure={measure} />}
      <Chat store={store} />
      <Editor store={store} measure={measure.value} />
      <Notes store={store} />
      {!isPhone.value && (
        <div class="transport">
          <MainButtons store={store} />
          <StartAgain store={store} />
          <EditButton store={store} />
          <Seed store={store} />
          <ColourChoice measure={measure} />
          <More store={store} />
        </div>
      )}
      <Spoken store={store} />
    </section>
  );
}

/** On a phone: what the text panel has below its buttons, as a panel of its own. */
export function SettingsPanel({ store }: { store: Store }) {
  return (
    <section class="settings-panel" aria-labelledby="settings-title">
      <h2 id="settings-title">Text and run</h2>
      <div class="transport">
        <StartAgain store={store} />
        <Redo store={store} named />
      </div>
      <Seed store={store} />
      <ColourChoice measure={measure} />
      <Legend measure={measure} />
      <Speed store={store} />
      <OutputFormatField store={store} />
      <Check store={store} />
    </section>
  );
}
