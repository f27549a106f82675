/** Another model: from a file, an address, or the list. In: the library. Out: the dialog's content. Nothing is fetched before a button is pressed. */
import { useSignal } from '@preact/signals';
import type { Model } from 'tokenglass';
import type { Library } from '../state/models.js';
import { BUILT_IN, known, pageOf } from '../state/models.js';
import { size } from '../format.js';
import { Button } from '../ui/button.js';

interface ModelsProps {
  library: Library;
  /** What is done with a model; undefined: it becomes the page's. */
  into: ((model: Model) => void) | undefined;
  done: () => void;
}

export function Download({ library }: { library: Library }) {
  const coming = library.coming.value;
  if (!coming) return null;
  const { name, loaded, total } = coming;
  return (
    <div class="coming" data-testid="coming">
      <p>
        {name}: {size(loaded)} {total && `of ${size(total)}`}
      </p>
      <progress aria-label={name} {...(total && { value: loaded, max: total })} />
      <Button id="cancel" press={() => library.cancel()}>
        Cancel
      </Button>
    </div>
  );
}

export function Models({ library, into, done }: ModelsProps) {
  const address = useSignal('');
  const then = (came: boolean) => came && done();
  return (
    <div class="models">
      <p>
        The file stays in your browser: nothing is sent anywhere. What cannot be run here (an
        architecture, a tokenizer, a type of weights) is refused by name before the weights are
        read.
      </p>
      <label class="field">
        <span>a GGUF file (or drop one on the page)</span>
        <input
          data-testid="file"
          type="file"
          accept=".gguf"
          onChange={({ currentTarget: { files } }) => {
            const [file] = files ?? [];
            if (file) void library.load(file.name, file, into).then(then);
          }}
        />
      </label>
      <form
        class="say"
        onSubmit={(event) => {
          event.preventDefault();
          void library.open(address.value, into).then(then);
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
      <Download library={library} />
      <h3>Small ones</h3>
      <ul class="known">
        {known.map((each) => (
          <li key={each.file}>
            <span>
              <b>{each.name}</b>{' '}
              <small>
                {size(each.size)}, {each.licence},{' '}
                <a href={pageOf(each)} target="_blank" rel="noreferrer noopener">
                  about it
                </a>
              </small>
            </span>
            <Button
              id="known"
              press={() => library.open(each.file, into).then(then)}
              label={`Fetch ${each.name}, ${size(each.size)}`}
            >
              Fetch
            </Button>
          </li>
        ))}
      </ul>
      <Button
        id="built-in"
        press={() => library.load('the built-in model', BUILT_IN, into).then(then)}
      >
        The built-in model
      </Button>
    </div>
  );
}
