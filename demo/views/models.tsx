/** The dialog that loads another model: from a file, an address or the list of presets. The page
 *  fetches nothing before the user presses a button. */
import { useSignal } from '@preact/signals';
import type { Model } from 'tokenglass';
import type { ModelLibrary } from '../state/models.js';
import { BUILT_IN, pageOf, presets } from '../state/models.js';
import { size } from '../format.js';
import { Button } from '../ui/button.js';
import { DownloadProgress } from './download.js';

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
        The file stays in your browser; the page sends nothing. If the page cannot run the model
        (its architecture, tokenizer or type of weights), it says so before it reads the weights.
      </p>
      <label class="field">
        <span>a GGUF file (or drop one on the page)</span>
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
          <span>https://… or owner/repo/file.gguf (Hugging Face)</span>
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
          Fetch
        </button>
      </form>
      {library.problem.value && (
        <p class="problem" role="alert" data-testid="model-problem">
          {library.problem.value}
        </p>
      )}
      <DownloadProgress library={library} />
      <h3>Small models</h3>
      <ul class="presets">
        {presets.map((preset) => (
          <li key={preset.file}>
            <span>
              <b>{preset.name}</b>{' '}
              <small>
                {size(preset.size)}, {preset.licence},{' '}
                <a href={pageOf(preset)} target="_blank" rel="noreferrer noopener">
                  about this model
                </a>
              </small>
            </span>
            <Button
              id="preset"
              press={() => library.open(preset.file, into).then(close)}
              label={`Fetch ${preset.name}, ${size(preset.size)}`}
            >
              Fetch
            </Button>
          </li>
        ))}
      </ul>
      <Button
        id="built-in"
        press={() => library.load('the built-in model', BUILT_IN, into).then(close)}
      >
        The built-in model
      </Button>
    </div>
  );
}
