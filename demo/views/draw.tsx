/** The draw: the tokens that can come next side by side, each as wide as its probability, and the
 *  random number that picks one. */
import type { StageRow, StageTable } from 'tokenglass';
import { N_DRAWS } from '../state/queries.js';
import type { Store } from '../state/store.js';
import { drawSentence, sourceSentence } from '../state/why.js';
import { name, percent } from '../format.js';
import { Button } from '../ui/button.js';
import { TokenName } from '../ui/token-name.js';
import { useWidth } from '../ui/use-width.js';
import { Say } from './say.js';
import { placeOf, situationOf } from './why.js';

// pixels, for the names in the shares
const FIRST_WIDTH = 930; // of the strip, until the width is measured
const CHARACTER_WIDTH = 7.6;
const NAME_EDGE = 4;
const MAX_TRIAL_ROWS = 6;

const survivorsIn = (table: StageTable): StageRow[] =>
  table.rows
    .filter(({ p_final }) => p_final > 0)
    .toSorted((a, b) => b.p_final - a.p_final || a.token - b.token);

interface Share {
  key: string;
  start: number;
  size: number;
  row?: StageRow;
}

/** The shares from 0 to 1. The drawn token has the place that the draw gave it; tokens without a
 *  row lie between the others or at the end. */
function sharesOf(table: StageTable): Share[] {
  const { low, high, token } = table.draw;
  const shares: Share[] = [];
  let end = 0;
  const addRest = (to: number) => {
    if (to - end > 1e-9) shares.push({ key: `rest ${end}`, start: end, size: to - end });
    end = Math.max(end, to);
  };
  for (const row of survivorsIn(table)) {
    if (row.token === token) addRest(low);
    const size = row.token === token ? high - low : row.p_final;
    shares.push({ key: String(row.token), start: end, size, row });
    end += size;
  }
  addRest(1);
  return shares;
}

/** The strip of shares with the random number as a pointer. */
function Strip({ table, drawn }: { table: StageTable; drawn: boolean }) {
  const { u, low, high, token } = table.draw;
  const { element, width } = useWidth<HTMLDivElement>(FIRST_WIDTH);
  const hasRoom = (text: string, size: number) =>
    text.length * CHARACTER_WIDTH + NAME_EDGE < size * width;
  return (
    <div class="strip" aria-hidden="true" ref={element}>
      {sharesOf(table).map(({ key, start, size, row }) => (
        <span
          key={key}
          class={!row ? 'rest' : drawn && row.token === token ? 'on' : ''}
          style={{ left: `${100 * start}%`, width: `${100 * size}%` }}
          title={`${row ? name(row) : 'tokens without a row'}: ${percent(size)}`}
        >
          {row && hasRoom(name(row), size) && name(row)}
        </span>
      ))}
      {drawn && (
        <i
          class="pointer"
          data-testid="random-number"
          data-u={u}
          data-low={low}
          data-high={high}
          style={{ left: `${100 * u}%` }}
        />
      )}
    </div>
  );
}

/** Repeats the draw many times, and compares the counts with the probabilities. */
function Trials({ store, table }: { store: Store; table: StageTable }) {
  const draws = store.inspector.draws.value;
  if (!draws) return null;
  const likely = survivorsIn(table).slice(0, MAX_TRIAL_ROWS);
  const countOf = (token: number) => draws.counts.get(token) ?? 0;
  const listed = likely.reduce((sum, { p_final }) => sum + p_final, 0);
  const others = draws.n - likely.reduce((sum, { token }) => sum + countOf(token), 0);
  const max = Math.max(
    ...likely.map(({ token, p_final }) => Math.max(p_final * draws.n, countOf(token))),
    others,
  );
  const bars = (expected: number, got: number) => (
    <>
      <td class="pair" aria-hidden="true">
        <span class="bar">
          <i class="model" style={{ width: `${(100 * expected) / max}%` }} />
        </span>
        <span class="bar">
          <i style={{ width: `${(100 * got) / max}%` }} />
        </span>
      </td>
      <td>{expected.toFixed(1)}</td>
      <td>{got}</td>
    </>
  );
  return (
    <table class="trials" data-testid="trials" data-n={draws.n}>
      <thead>
        <tr>
          <th scope="col">Token</th>
          <td />
          <th scope="col">expected</th>
          <th scope="col">got</th>
        </tr>
      </thead>
      <tbody>
        {likely.map((row) => (
          <tr key={row.token} data-token={row.token}>
            <th scope="row">
              <TokenName token={row} />
            </th>
            {bars(row.p_final * draws.n, countOf(row.token))}
          </tr>
        ))}
        {1 - listed > 1e-9 && (
          <tr>
            <th scope="row">other tokens</th>
            {bars((1 - listed) * draws.n, others)}
          </tr>
        )}
      </tbody>
    </table>
  );
}

/** Scrolls as far as it needs to show the result: the panel ends below many windows. */
const showTrials = () =>
  requestAnimationFrame(() =>
    document.querySelector('.trials')?.scrollIntoView({ block: 'nearest' }),
  );

export function Draw({ store, table }: { store: Store; table: StageTable }) {
  const place = placeOf(store);
  return (
    <div class="draw">
      <h3>The draw</h3>
      <Strip table={table} drawn={place !== 'ended'} />
      <div class="draw-words">
        {place !== 'ended' && (
          <p data-testid="draw-sentence">
            <Say sentence={drawSentence(table, place)} />{' '}
            <small>
              <Say sentence={sourceSentence(situationOf(store))} />
              {place === 'earlier' && ' Shown with the current settings.'}
            </small>
          </p>
        )}
        <Button id="draws" press={() => store.inspector.tryDraws().then(showTrials)}>
          Draw {N_DRAWS} times
        </Button>
      </div>
      <Trials store={store} table={table} />
    </div>
  );
}
