/** The tokenizer's sheet: how the model's vocabulary splits a text, and beside it another
 *  vocabulary. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { AlignedSpan, TokenSpan } from '../state/tokenization.js';
import { MAX_SHOWN, tokenizationOf } from '../state/tokenization.js';
import type { Store } from '../state/store.js';
import type { ModelLibrary } from '../state/models.js';
import { hexBytes, visible } from '../format.js';
import { Button } from '../ui/button.js';
import { MessageText } from '../ui/message.js';
import { DataTable } from '../ui/data-table.js';
import { isPhone } from '../ui/media.js';
import { moveFocus } from '../ui/roving-focus.js';
import { OtherModelDialog } from './other-model.js';

/** A token's text with every character visible. */
const nameOf = ({ text, bytes }: TokenSpan) => visible(text, bytes) || '∅';

const codePoints = (text: string) =>
  [...text]
    .map((c) => `U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`)
    .join(' ');

/** The code points of a token's characters. A token can cover a part of a character. */
const charactersOf = ({ text, bytes, partOf }: TokenSpan) =>
  partOf !== undefined ? `part of ${codePoints(partOf)}` : bytes.length ? codePoints(text) : '–';

function describe(span: TokenSpan): string {
  const { start, end, bytes, token } = span;
  const range = end - start > 1 ? `bytes ${start} to ${end - 1}` : `byte ${start}`;
  return `${nameOf(span)}, id ${token}, ${bytes.length ? `${range}: ${hexBytes(bytes)}` : 'no byte of the text'}`;
}

interface CellProps {
  span: TokenSpan;
  odd: boolean;
  first: boolean;
  selected: boolean;
  select: () => void;
}

function Cell({ span, odd, first, selected, select }: CellProps) {
  return (
    <button
      type="button"
      class={`cell${odd ? ' odd' : ''}${span.bytes.length ? '' : ' control'}`}
      title={describe(span)}
      aria-label={describe(span)}
      aria-pressed={selected}
      tabIndex={selected || first ? 0 : -1}
      data-roving
      data-token={span.token}
      data-start={span.start}
      data-end={span.end}
      onClick={select}
    >
      {nameOf(span)}
    </button>
  );
}

function Rows({ sides }: { sides: readonly (readonly [string, readonly TokenSpan[]])[] }) {
  return (
    <table>
      <thead>
        <tr>
          {['', 'token', 'id', 'bytes', 'from', 'to', 'characters'].map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sides.flatMap(([side, spans]) =>
          spans.slice(0, MAX_SHOWN).map((span, i) => (
            <tr key={`${side}${i}`}>
              <th scope="row">
                {side} {i + 1}
              </th>
              <td>{nameOf(span)}</td>
              <td>{span.token}</td>
              <td>{hexBytes(span.bytes)}</td>
              <td>{span.start}</td>
              <td>{span.end}</td>
              <td>{charactersOf(span)}</td>
            </tr>
          )),
        )}
      </tbody>
    </table>
  );
}

const plural = (n: number, what: string) =>
  `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

export function TokenizerSheet({ store, library }: { store: Store; library: ModelLibrary }) {
  const tokenization = tokenizationOf(store);
  const choosing = useSignal(false);
  useEffect(() => {
    tokenization.open.value = true;
    return () => void (tokenization.open.value = false);
  }, []);
  const selected = useSignal<TokenSpan | undefined>(undefined);
  const { other, result, problem, parseSpecial, addSpecial } = tokenization;
  const { tokens = [], otherTokens, spans = [], bytes = 0 } = result.value ?? {};
  const n_different = spans.filter(({ same }) => !same).length;
  const indexOf = new Map(
    [tokens, otherTokens ?? []].flatMap((list) => list.map((span, i) => [span, i] as const)),
  );
  const chosen = selected.value && indexOf.has(selected.value) ? selected.value : undefined;
  const cells = (list: readonly TokenSpan[], side: string) => (
    <span class={`side side-${side}`}>
      {list.map((span) => (
        <Cell
          key={indexOf.get(span)}
          span={span}
          odd={indexOf.get(span)! % 2 === 1}
          first={span === tokens[0]}
          selected={span === chosen}
          select={() => (selected.value = span === chosen ? undefined : span)}
        />
      ))}
    </span>
  );
  const alignedSpan = ({ a, b, same }: AlignedSpan, i: number) => (
    <span key={i} class={`aligned${same ? '' : ' differs'}`} data-same={same}>
      {cells(a, 'a')}
      {otherTokens && cells(b, 'b')}
    </span>
  );
  const n_hidden = Math.max(0, spans.length - MAX_SHOWN);
  return (
    <div class="tokenization-panel">
      <p>How text becomes tokens</p>
      <label class="field">
        <span>Text</span>
        <textarea
          data-testid="tokenization-text"
          rows={2}
          spellcheck={false}
          value={tokenization.shownText()}
          onInput={({ currentTarget }) => (tokenization.text.value = currentTarget.value)}
        />
      </label>
      <div class="transport">
        <label class="switch">
          <input
            data-testid="tokenization-parse-special"
            type="checkbox"
            checked={parseSpecial.value}
            onChange={({ currentTarget }) => (parseSpecial.value = currentTarget.checked)}
          />
          <span>
            Recognise special tokens such as <code>&lt;s&gt;</code> in the text
          </span>
        </label>
        <label class="switch">
          <input
            data-testid="tokenization-add-special"
            type="checkbox"
            checked={addSpecial.value}
            onChange={({ currentTarget }) => (addSpecial.value = currentTarget.checked)}
          />
          <span>Add start and end tokens</span>
        </label>
        <Button
          id="tokenization-other"
          off={library.download.value !== undefined}
          press={() => (choosing.value = true)}
        >
          Compare with another tokenizer…
        </Button>
        {other && (
          <Button id="tokenization-same" press={() => tokenization.setOther(undefined)}>
            Remove the second one
          </Button>
        )}
      </div>
      {problem.value && (
        <div class="problem" role="alert">
          <MessageText message={problem.value} />
        </div>
      )}
      <p
        data-testid="tokenization-summary"
        data-tokens={tokens.length}
        data-others={otherTokens?.length}
        data-differ={n_different}
        role="status"
      >
        {plural(bytes, 'byte')}, {plural(tokens.length, 'token')}
        {otherTokens &&
          `; ${plural(otherTokens.length, 'token')} with ${other?.info.name || 'the second one'}`}
        .{' '}
        {otherTokens &&
          (n_different
            ? `The two tokenizers differ in ${plural(n_different, 'place')} (≠).`
            : 'The two tokenizers split the text in the same way.')}
      </p>
      <div
        class="tokens"
        data-testid="tokens"
        role="group"
        aria-label="Tokens of the text; arrow keys move, Enter shows more"
        onKeyDown={moveFocus}
      >
        {spans.slice(0, MAX_SHOWN).map(alignedSpan)}
      </div>
      {n_hidden > 0 && <p class="note">{plural(n_hidden, 'more part')} not shown.</p>}
      <p class="note" data-testid="tokenization-selected" role="status">
        {chosen
          ? `${describe(chosen)}; characters: ${charactersOf(chosen)}`
          : `${isPhone.value ? 'Tap' : 'Click'} a token to see its bytes.`}
      </p>
      <DataTable id="tokenization-table">
        {() => (
          <Rows
            sides={[['A', tokens] as const, ...(otherTokens ? [['B', otherTokens] as const] : [])]}
          />
        )}
      </DataTable>
      <OtherModelDialog
        library={library}
        open={choosing.value}
        close={() => (choosing.value = false)}
        take={(model) => void tokenization.setOther(model)}
      />
    </div>
  );
}
