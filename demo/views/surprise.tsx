/** The panel of surprise along the text: bars and a line for the part of the text around the
 *  selected token, and the same numbers as a table. A click selects a token. */
import type { DisplayToken } from '../state/display-tokens.js';
import type { Store } from '../state/store.js';
import { isControl, name, percent } from '../format.js';
import { DataTable } from '../ui/data-table.js';
import { useWidth } from '../ui/use-width.js';

// pixels
const FIRST_WIDTH = 280; // until the width is measured
const HEIGHT = 66;
const TOP = 4;
const PITCH = 4.5; // between two bars of a long text
const MAX_PITCH = 14;

const MIN_BITS = 4; // the scale goes at least to this
const inBits = (nats: number) => nats / Math.LN2;
const number = (x: number, decimals: number) =>
  x.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** The tokens that the chart shows: the last ones, or those around the selected one. */
function windowOf<T>(all: readonly T[], size: number, selected: number | undefined): number {
  const last = Math.max(0, all.length - size);
  if (selected === undefined || selected >= last) return last;
  return Math.max(0, Math.min(last, selected - Math.floor(size / 2)));
}

/** The bars of the tokens that a test accepts, as one path. */
const barsOf = (
  tokens: readonly DisplayToken[],
  is: (token: DisplayToken) => boolean,
  bar: (token: DisplayToken, i: number) => string,
) => tokens.map((token, i) => (is(token) ? bar(token, i) : '')).join('');

function Chart({ store }: { store: Store }) {
  const { element, width } = useWidth<SVGSVGElement>(FIRST_WIDTH);
  const { document, inspector } = store;
  const tokens = document.tokens.value;
  const selected = inspector.selected.value;
  const atEnd = selected === undefined && document.rest.value === '';
  const next = atEnd ? inspector.table.value?.entropy : undefined;
  const first = windowOf(tokens, Math.floor(width / PITCH) - 1, selected);
  const shown = tokens.slice(first, first + Math.floor(width / PITCH) - 1);
  const pitch = Math.min(MAX_PITCH, width / (shown.length + 1));
  const values = shown.flatMap(({ logprob, entropy }) => [-logprob, entropy]);
  const nats = [...values, next ?? 0].filter((value) => !Number.isNaN(value));
  const maxBits = Math.max(MIN_BITS, inBits(Math.max(...nats)));
  const y = (nats: number) => TOP + (HEIGHT - TOP) * (1 - inBits(nats) / maxBits);
  const barWidth = Math.max(1, pitch - (pitch > 6 ? 2 : 1));
  const bar = ({ logprob }: DisplayToken, i: number) => {
    if (Number.isNaN(logprob)) return '';
    const top = Math.min(y(-logprob), HEIGHT - 1);
    return `M${i * pitch} ${HEIGHT}V${top}h${barWidth}V${HEIGHT}z`;
  };
  const dash = (entropy: number, i: number) =>
    Number.isNaN(entropy) ? '' : `M${i * pitch} ${y(entropy)}h${barWidth}`;
  const line =
    shown.map(({ entropy }, i) => dash(entropy, i)).join('') +
    (next === undefined ? '' : dash(next, shown.length));
  return (
    <svg
      ref={element}
      class="surprise"
      height={HEIGHT}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      role="img"
      aria-label={`Surprise and uncertainty of tokens ${first + 1} to ${first + shown.length} of ${tokens.length}, from 0 to ${maxBits.toFixed(1)} bits`}
      data-testid="surprise-chart"
      data-first={first}
      data-shown={shown.length}
      onClick={(event) => {
        const { left } = event.currentTarget.getBoundingClientRect();
        const token = shown[Math.floor((event.clientX - left) / pitch)];
        inspector.select(token?.index);
      }}
    >
      <path class="typed" d={barsOf(shown, ({ how }) => how === 'typed', bar)} />
      <path class="drawn" d={barsOf(shown, ({ how }) => how !== 'typed', bar)} />
      <path class="selected" d={barsOf(shown, ({ index }) => index === selected, bar)} />
      <path class="uncertainty" d={line} />
      {selected !== undefined && (
        <path class="cursor" d={`M${(selected - first + 0.5) * pitch - 0.5} 0V${HEIGHT}`} />
      )}
    </svg>
  );
}

/** The surprise of the output, or of the whole text when there is no output. */
function Sum({ tokens }: { tokens: readonly DisplayToken[] }) {
  const typed = tokens.findLastIndex(({ how }) => how === 'typed') + 1;
  const hasOutput = typed < tokens.length;
  const counted = hasOutput ? tokens.slice(typed) : tokens.slice(1);
  const last = counted.at(-1)?.node;
  if (!last || Number.isNaN(last.logprob)) return null;
  const first = counted[0]!.node;
  const bits = inBits((first.parent?.joint ?? 0) - last.joint);
  const n = counted.length;
  const coins = Math.round(bits);
  return (
    <p class="explanation" data-testid="surprise-sum" data-bits={bits}>
      <b>
        {number(bits, 1)} bits in {number(n, 0)} {n === 1 ? 'token' : 'tokens'}
      </b>{' '}
      {hasOutput ? 'since your text' : 'of the text'}: as hard to guess as {number(coins, 0)} coin{' '}
      {coins === 1 ? 'flip' : 'flips'}
    </p>
  );
}

function Table({ tokens }: { tokens: readonly DisplayToken[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Token</th>
          <th scope="col">Position</th>
          <th scope="col">Model says</th>
          <th scope="col">Surprise, bits</th>
          <th scope="col">Uncertainty, bits</th>
          <th scope="col">Rank</th>
        </tr>
      </thead>
      <tbody>
        {tokens
          .filter(({ logprob }) => !Number.isNaN(logprob))
          .map((token) => (
            <tr key={token.index}>
              <th scope="row">
                {isControl(token) ? token.piece : name({ ...token, text: token.text || '\ufffd' })}
              </th>
              <td>{token.index + 1}</td>
              <td>{percent(Math.exp(token.logprob))}</td>
              <td>{inBits(-token.logprob).toFixed(2)}</td>
              <td>{inBits(token.entropy).toFixed(2)}</td>
              <td>{(token.rank + 1).toLocaleString('en')}</td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}

/** A slider along the text, for the keyboard and for long texts. */
function Scrub({ store, tokens }: { store: Store; tokens: readonly DisplayToken[] }) {
  const selected = store.inspector.selected.value;
  const token = selected === undefined ? undefined : tokens[selected];
  return (
    <input
      class="scrub"
      data-testid="scrub"
      type="range"
      aria-label="Selected token"
      min={1}
      max={tokens.length}
      value={selected ?? tokens.length}
      aria-valuetext={token ? `token ${token.index + 1}, ${name(token)}` : 'the end of the text'}
      onInput={({ currentTarget: { valueAsNumber: index } }) =>
        store.inspector.select(index >= tokens.length ? undefined : index)
      }
    />
  );
}

export function SurprisePanel({ store }: { store: Store }) {
  const tokens = store.document.tokens.value;
  return (
    <section class="surprise-panel" aria-labelledby="surprise-title" data-testid="surprise">
      <h2 id="surprise-title">Surprise along the text</h2>
      {tokens.length > 1 && (
        <>
          <Chart store={store} />
          <Scrub store={store} tokens={tokens} />
        </>
      )}
      <p class="explanation">
        <i class="key-bars" /> bars = how surprising each token was; <i class="key-line" /> line =
        how uncertain the model was
      </p>
      <Sum tokens={tokens} />
      {tokens.length > 1 && (
        <DataTable id="surprise-table">{() => <Table tokens={tokens} />}</DataTable>
      )}
    </section>
  );
}
