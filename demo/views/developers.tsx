/** The sheet for developers: how to install the package, and the page's text and settings as
 *  code. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Message } from '../format.js';
import type { CodeForm } from '../state/code.js';
import { MAX_TOKENS, codeForms, codeState } from '../state/code.js';
import { wordsOf } from '../state/messages.js';
import type { ModelLibrary } from '../state/models.js';
import type { Store } from '../state/store.js';
import { Button } from '../ui/button.js';
import { MessageText } from '../ui/message.js';

const INSTALL = 'npm install tokenglass';

/** Addresses in package.json: the build puts them here. */
declare const HOMEPAGE: string;
declare const SOURCE: string;

/** Pages about the package, and files beside the page. */
const LINKS: readonly [text: string, address: string][] = [
  ['npm package with README and API reference', 'https://www.npmjs.com/package/tokenglass'],
  ['Project', HOMEPAGE],
  ['Source', SOURCE],
  ['Licence (MIT)', 'LICENSE.txt'],
  ['Notices of other projects', 'THIRD-PARTY.txt'],
];

function Code({ id, title, code, notes }: CodeForm) {
  const said = useSignal('');
  const copy = () =>
    navigator.clipboard.writeText(code).then(
      () => (said.value = 'Copied.'),
      () => (said.value = 'The browser does not allow this page to copy. Select the code.'),
    );
  return (
    <div class="code-form" role="group" aria-labelledby={`code-${id}-title`}>
      <div class="code-head">
        <h3 id={`code-${id}-title`}>{title}</h3>
        <span role="status">{said.value}</span>
        {code && (
          <Button id={`copy-${id}`} press={copy} label={`Copy: ${title}`}>
            Copy
          </Button>
        )}
      </div>
      {code && (
        <pre
          class={`code code-${id}`}
          data-testid={`code-${id}`}
          tabIndex={0}
          role="group"
          aria-label={title}
        >
          {code}
        </pre>
      )}
      {notes.map((note) => (
        <p key={note} class="note" data-testid={`note-${id}`}>
          {note}
        </p>
      ))}
    </div>
  );
}

export function DevelopersSheet({ store, library }: { store: Store; library: ModelLibrary }) {
  const forms = useSignal<readonly CodeForm[]>([]);
  const problem = useSignal<Message>('');
  const hasModel = store.engine.model.value !== undefined;
  useEffect(() => {
    if (!hasModel) return;
    codeState(store, library.source.value).then(
      (state) => (forms.value = codeForms(state)),
      (error: unknown) => (problem.value = wordsOf(error)),
    );
  }, [hasModel]);
  return (
    <div class="developers">
      <p>
        This page uses the package tokenglass and nothing else to run the model. The code below has
        your text, your settings and your seed. It generates the next {MAX_TOKENS} tokens that this
        page would generate. Options with their default values are left out.
      </p>
      <Code id="install" title="Install" code={`${INSTALL}\n`} notes={[]} />
      {forms.value.map((form) => (
        <Code key={form.id} {...form} />
      ))}
      {problem.value && (
        <div class="problem" role="alert">
          <MessageText message={problem.value} />
        </div>
      )}
      {!hasModel && <p class="note">The code appears when the model is loaded.</p>}
      <ul class="links">
        {LINKS.map(([text, address]) => (
          <li key={address}>
            <a href={address} target="_blank" rel="noreferrer noopener">
              {text}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
