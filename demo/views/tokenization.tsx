/** How a text is cut into tokens: by the model's vocabulary and, beside it, by another one. In: the tokenization and the models. Out: the panel. */
import { useSignal } from '@preact/signals';
import type { Tokenization, Piece, Stretch } from '../state/tokenization.js';
import { MOST } from '../state/tokenization.js';
import type { Store } from '../state/store.js';
import type { Library } from '../state/models.js';
import { spelled, visible } from '../format.js';
import { Button } from '../ui/button.js';
import { DataTable } from '../ui/data-table.js';
import { moveFocus } from '../ui/roving-focus.js';

/** A piece's text with nothing in it invisible; what covers no byte of the text is what its vocabulary spells. */
const called = ({ text, bytes }: Piece) => visible(text, bytes) || '∅';

const codes = (text: string) =>
  [...text]
    .map((c) => `U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`)
    .join(' ');

/** Characters by their numbers, also of a piece that has only a part of one. */
const characters = ({ text, bytes, partOf }: Piece) =>
  partOf !== undefined ? `part of ${codes(partOf)}` : bytes.length ? codes(text) : '–';

function told(piece: Piece): string {
  const { start, end, bytes, token } = piece;
  const where = end - start > 1 ? `bytes ${start} to ${end - 1}` : `byte ${start}`;
  return `${called(piece)}, id ${token}, ${bytes.length ? `${where}: ${spelled(bytes)}` : 'no byte of the text'}`;
}

interface PieceProps {
  piece: Piece;
  odd: boolean;
  first: boolean;
  selected: boolean;
  select: () => void;
}

function Cell({ piece, odd, first, selected, select }: PieceProps) {
  return (
    <button
      type="button"
      class={`cell${odd ? ' odd' : ''}${piece.bytes.length ? '' : ' control'}`}
      title={told(piece)}
      aria-label={told(piece)}
      aria-pressed={selected}
      tabIndex={selected || first ? 0 : -1}
      data-roving
      data-token={piece.token}
      data-start={piece.start}
      data-end={piece.end}
      onClick={select}
    >
      {called(piece)}
    </button>
  );
}

function Rows({ sides }: { sides: readonly (readonly [string, readonly Piece[]])[] }) {
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
        {sides.flatMap(([side, pieces]) =>
          pieces.slice(0, MOST).map((piece, i) => (
            <tr key={`${side}${i}`}>
              <th scope="row">
                {side} {i + 1}
              </th>
              <td>{called(piece)}</td>
              <td>{piece.token}</td>
              <td>{spelled(piece.bytes)}</td>
              <td>{piece.start}</td>
              <td>{piece.end}</td>
              <td>{characters(piece)}</td>
            </tr>
          )),
        )}
      </tbody>
    </table>
  );
}

const plural = (n: number, what: string) =>
  `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

interface CutProps {
  store: Store;
  tokenization: Tokenization;
  library: Library;
  choose: () => void;
  same: () => unknown;
}

export function Cut({ store, tokenization, library, choose, same }: CutProps) {
  const selected = useSignal<Piece | undefined>(undefined);
  const { cut, problem, special, ends } = tokenization;
  const { pieces = [], others, stretches = [], bytes = 0 } = cut.value ?? {};
  const differ = stretches.filter((stretch) => !stretch.same).length;
  const named = (info?: { name: string; architecture: string }) =>
    info?.name || info?.architecture || 'the model';
  const place = new Map(
    [pieces, others ?? []].flatMap((list) => list.map((piece, i) => [piece, i] as const)),
  );
  const chosen = selected.value && place.has(selected.value) ? selected.value : undefined;
  const cells = (list: readonly Piece[], side: string) => (
    <span class={`side side-${side}`}>
      {list.map((piece) => (
        <Cell
          key={place.get(piece)}
          piece={piece}
          odd={place.get(piece)! % 2 === 1}
          first={piece === pieces[0]}
          selected={piece === chosen}
          select={() => (selected.value = piece === chosen ? undefined : piece)}
        />
      ))}
    </span>
  );
  const stretch = ({ a, b, same: alike }: Stretch, i: number) => (
    <span key={i} class={`stretch${alike ? '' : ' differs'}`} data-same={alike}>
      {cells(a, 'a')}
      {others && cells(b, 'b')}
    </span>
  );
  const [shown, rest] = [stretches.slice(0, MOST), Math.max(0, stretches.length - MOST)];
  return (
    <section class="cut-panel" aria-labelledby="cut-title">
      <h2 id="cut-title">
        How a text is cut{' '}
        <small>the bytes that each token covers; a second vocabulary beside the first</small>
      </h2>
      <label class="field">
        <span>a text</span>
        <textarea
          data-testid="cut-text"
          rows={2}
          spellcheck={false}
          value={tokenization.shown()}
          onInput={({ currentTarget }) => (tokenization.text.value = currentTarget.value)}
        />
      </label>
      <div class="transport">
        <label class="switch">
          <input
            data-testid="cut-special"
            type="checkbox"
            checked={special.value}
            onChange={({ currentTarget }) => (special.value = currentTarget.checked)}
          />
          <span>special tokens are read</span>
        </label>
        <label class="switch">
          <input
            data-testid="cut-ends"
            type="checkbox"
            checked={ends.value}
            onChange={({ currentTarget }) => (ends.value = currentTarget.checked)}
          />
          <span>with the text’s beginning and end</span>
        </label>
        <Button id="cut-other" off={library.coming.value !== undefined} press={choose}>
          Another vocabulary…
        </Button>
        {tokenization.other && (
          <Button id="cut-same" press={same}>
            This one alone
          </Button>
        )}
      </div>
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <p
        data-testid="cut-summary"
        data-pieces={pieces.length}
        data-others={others?.length}
        data-differ={differ}
        role="status"
      >
        {plural(bytes, 'byte')}. <b>A</b> {named(store.model.value?.info)}:{' '}
        {plural(pieces.length, 'token')}.{' '}
        {others && (
          <>
            <b>B</b> {named(tokenization.other?.info)}: {plural(others.length, 'token')}.{' '}
            {differ
              ? `They cut ${plural(differ, 'stretch').replace(/hs$/, 'hes')} of the text differently (≠).`
              : 'They cut it alike.'}
          </>
        )}
      </p>
      <div
        class="cut"
        data-testid="cut"
        role="group"
        aria-label="Tokens of the text; arrows moveFocus, Enter tells more"
        onKeyDown={moveFocus}
      >
        {shown.map(stretch)}
      </div>
      {rest > 0 && <p class="note">{plural(rest, 'more piece')} not shown.</p>}
      <p class="note" data-testid="cut-told" role="status">
        {chosen
          ? `${told(chosen)}; characters: ${characters(chosen)}`
          : 'Click a token to see its bytes.'}
      </p>
      <DataTable id="cut-table">
        {() => (
          <Rows sides={[['A', pieces] as const, ...(others ? [['B', others] as const] : [])]} />
        )}
      </DataTable>
    </section>
  );
}
