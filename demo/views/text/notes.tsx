/** What the user needs to know about the text: why no token can follow, what a check found. */
import type { Store } from '../../state/store.js';
import { Button } from '../../ui/button.js';
import { FormatProblem } from '../output-format.js';

/** The result of a check as a sentence. */
function resultOf({ n, differs }: { n: number; differs: number | undefined }): string {
  if (differs === undefined)
    return `Checked: the same ${n === 1 ? 'token' : `${n} tokens`} came again.`;
  return `Checked: token ${differs + 1} is different. Did the settings or the model change?`;
}

/** The text fills the context of the model. */
function Full({ store }: { store: Store }) {
  const n_ctx = store.engine.model.value!.info.n_ctx.toLocaleString('en');
  return (
    <>
      This model can see {n_ctx} tokens and they are used up.{' '}
      <Button id="slide" press={() => store.runner.slide()}>
        Continue with a sliding window
      </Button>{' '}
      <Button id="restart-full" press={() => store.runner.restart()}>
        Start again
      </Button>
    </>
  );
}

const LONG_REST = 2000; // characters

/** How far the page is with a long text. */
function Reading({ store }: { store: Store }) {
  const { pending, rest, sliding, tokens } = store.document;
  if (!pending || (!sliding.value && rest.value.length < LONG_REST)) return null;
  return (
    <span aria-hidden="true">
      Reading the text: {tokens.value.length.toLocaleString('en')} tokens so far.
    </span>
  );
}

export function Notes({ store }: { store: Store }) {
  const { document, runner, status } = store;
  const phase = status.phase.value;
  const checked = runner.checked.value;
  return (
    <>
      <FormatProblem store={store} />
      <p class="note" role="status" data-testid="note">
        {phase === 'empty' && 'This model has no token that begins a text. Type the first word. '}
        {phase === 'ended' && 'The model ended the text (end token). '}
        {phase === 'full' && <Full store={store} />}
        {document.sliding.value &&
          `The text is longer than the model can see: it sees ${store.engine.model.value!.info.n_ctx.toLocaleString('en')} tokens at a time. `}
        {checked && resultOf(checked)}
        <Reading store={store} />
      </p>
    </>
  );
}
