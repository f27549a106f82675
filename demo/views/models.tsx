/** The sheet that loads another model: from the list, a file or an address. The page fetches
 *  nothing before the user presses a button. */
import { useSignal } from '@preact/signals';
import type { Model } from 'tokenglass';
import { size } from '../format.js';
import type { ListedModel } from '../state/model-list.js';
import { fitOf, modelGroups, pageOf } from '../state/model-list.js';
import type { ModelLibrary } from '../state/models.js';
import { BUILT_IN } from '../state/models.js';
import { Button } from '../ui/button.js';
import { MessageText } from '../ui/message.js';
import { DownloadProgress } from './download.js';

/** The memory of the device in GB; undefined in browsers that do not say. */
const deviceMemory = (): number | undefined =>
  (navigator as Navigator & { deviceMemory?: number }).deviceMemory;

interface EntryProps {
  model: ListedModel;
  load: () => void;
}

function Entry({ model, load }: EntryProps) {
  const { name, file, licence, languages, note, parameters } = model;
  const fit = fitOf(model.size, deviceMemory());
  return (
    <li data-testid="listed-model" data-fit={fit.level}>
      <div class="listed-name">
        <b>{name}</b>{' '}
        <small>
          {size(model.size)} · {languages}
        </small>
      </div>
      <small class={`fit fit-${fit.level}`}>{fit.text}</small>
      <details>
        <summary>details</summary>
        <p>{note}</p>
        <dl>
          <dt>parameters</dt>
          <dd>{parameters}</dd>
          <dt>licence</dt>
          <dd>{licence}</dd>
          <dt>file</dt>
          <dd>
            <code>{file}</code>
          </dd>
        </dl>
        <a href={pageOf(model)} target="_blank" rel="noreferrer noopener">
          {name} on Hugging Face
        </a>
      </details>
      <Button
        id="model-download"
        off={fit.level === 'no'}
        press={load}
        label={`Download ${name}, ${size(model.size)}`}
      >
        Download
      </Button>
    </li>
  );
}

interface ModelsProps {
  library: ModelLibrary;
  /** Takes the loaded model; undefined: it becomes the page's model. */
  into: ((model: Model) => void) | undefined;
  done: () => void;
}

export function ModelsSheet({ library, into, done }: ModelsProps) {
  const address = useSignal('');
  const close = (wasLoaded: boolean) => wasLoaded && done();
  return (
    <div class="models">
      <p>
        Your files stay in your browser; the page sends nothing. If a model cannot run here, you are
        told why before it is downloaded.
      </p>
      <DownloadProgress library={library} />
      {library.problem.value && (
        <div class="problem" role="alert" data-testid="model-problem">
          <MessageText message={library.problem.value} />
        </div>
      )}
      <div class="own-model">
        <label class="field">
          <span>A GGUF file (or drop one on the page)</span>
          <input
            data-testid="file"
            type="file"
            accept=".gguf"
            onChange={({ currentTarget: { files } }) => {
              const [file] = files ?? [];
              if (file) void library.load(file.name, file, into).then(close);
            }}
          />
        </label>
        <form
          class="say"
          onSubmit={(event) => {
            event.preventDefault();
            void library.open(address.value, into).then(close);
          }}
        >
          <label class="field">
            <span>Address: https://… or owner/repo/file.gguf (Hugging Face)</span>
            <input
              data-testid="address"
              type="text"
              spellcheck={false}
              autocomplete="off"
              value={address.value}
              onInput={(event) => (address.value = event.currentTarget.value)}
            />
          </label>
          <button type="submit" data-testid="fetch">
            Download
          </button>
        </form>
        <Button
          id="built-in"
          press={() => library.load('The built-in model', BUILT_IN, into).then(close)}
        >
          The built-in model
        </Button>
      </div>
      <h3>Suggested models</h3>
      {modelGroups.map(({ purpose, models }) => (
        <section class="model-group" key={purpose} aria-label={purpose}>
          <h4>{purpose}</h4>
          <ul class="listed-models">
            {models.map((model) => (
              <Entry
                key={model.file}
                model={model}
                load={() => void library.open(model.file, into).then(close)}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
