/** The chart of surprisal and entropy along the text. A click selects a token. */
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import type { Store } from '../state/store.js';
import type { DisplayToken } from '../state/display-tokens.js';
import { name, percent } from '../format.js';
import { DataTable } from '../ui/data-table.js';
import { useWidth } from '../ui/use-width.js';

// pixels
const FIRST_WIDTH = 560; // until the width is measured
const HEIGHT = 150;
const BOTTOM = 18;
const LEFT = 26;

const MIN_BITS = 4; // the scale goes at least to this
const bits = (nats: number) => nats / Math.LN2;

/** Selects a token, and moves the focus to it in the text. */
function selectToken(store: Store, index: number) {
  store.inspector.select(index);
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>(`.text [data-index="${index}"]`)?.focus(),
  );
}

function Chart({ store, tokens }: { store: Store; tokens: readonly DisplayToken[] }) {
  const { element, width: full } = useWidth<SVGSVGElement>(FIRST_WIDTH);
  const maxBits = Math.max(
    MIN_BITS,
    ...tokens.map(({ logprob, entropy }) => Math.max(bits(-logprob), bits(entropy))),
  );
  const [first, last] = [tokens[0]!.index, tokens.at(-1)!.index];
  const y = scaleLinear()
    .domain([0, maxBits])
    .nice(4)
    .range([HEIGHT - BOTTOM, 6]);
  const x = scaleLinear()
    .domain([first - 0.5, Math.max(last, first + 15) + 0.5])
    .range([LEFT, full]);
  const width = Math.max(1, Math.min(18, (x(1) - x(0)) * 0.72));
  const path = line<DisplayToken>()
    .x(({ index }) => x(index))
    .y(({ entropy }) => y(bits(entropy)));
  const selected = store.inspector.selected.value;
  const selectedToken = tokens.find(({ index }) => index === selected);
  return (
    <>
      <svg
        ref={element}
        height={HEIGHT}
        viewBox={`0 0 ${full} ${HEIGHT}`}
        role="img"
        aria-label={`Surprisal and entropy of ${tokens.length} tokens, from 0 to ${maxBits.toFixed(1)} bits`}
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const index = Math.round(x.invert(((event.clientX - box.left) / box.width) * full));
          if (tokens.some((token) => token.index === index)) selectToken(store, index);
        }}
      >
        {y.ticks(4).map((tick) => (
          <g key={tick} class="tick">
            <line x1={LEFT} x2={full} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 5} y={y(tick) + 3.5}>
              {tick}
            </text>
          </g>
        ))}
        {tokens.map(({ index, logprob, node }) => (
          <rect
            key={index}
            class={`${node ? 'bar-generated' : 'bar-prompt'}${index === selected ? ' on' : ''}`}
            data-testid="timeline-bar"
            data-index={index}
            data-surprisal={bits(-logprob)}
            x={x(index) - width / 2}
            width={width}
            y={y(bits(-logprob))}
            height={Math.max(1, y(0) - y(bits(-logprob)))}
          />
        ))}
        <path class="entropy" d={path(tokens) ?? ''} />
        {selectedToken && (
          <line
            class="cursor"
            x1={x(selectedToken.index)}
            x2={x(selectedToken.index)}
            y1={4}
            y2={HEIGHT - BOTTOM}
          />
        )}
        <text class="axis" x={LEFT} y={HEIGHT - 3}>
          token {first + 1}
        </text>
        <text class="axis end" x={x(last)} y={HEIGHT - 3}>
          {last + 1}
        </text>
      </svg>
      <label class="scrub">
        <span class="unseen">token whose choice is on the page</span>
        <input
          data-testid="scrub"
          type="range"
          min={first}
          max={last + 1}
          value={selected ?? last + 1}
          aria-valuetext={
            selectedToken
              ? `token ${selectedToken.index + 1}, ${name(selectedToken)}`
              : 'the next choice'
          }
          onInput={({ currentTarget: { valueAsNumber: index } }) =>
            store.inspector.select(index > last ? undefined : index)
          }
        />
      </label>
    </>
  );
}

export function TimelinePanel({ store }: { store: Store }) {
  const tokens = store.document.tokens.value.filter(({ logprob }) => !Number.isNaN(logprob));
  return (
    <section class="timeline-panel" aria-labelledby="timeline-title">
      <h2 id="timeline-title">
        Uncertainty{' '}
        <small>
          <em class="key-bars">surprisal</em> and <em class="key-line">entropy</em>, bits
        </small>
      </h2>
      {tokens.length === 0 ? (
        <p class="note">Each token of the text gets a bar here.</p>
      ) : (
        <>
          <Chart store={store} tokens={tokens} />
          <DataTable id="timeline-table">
            {() => (
              <table>
                <thead>
                  <tr>
                    <th scope="col">token</th>
                    <th scope="col">position</th>
                    <th scope="col">p</th>
                    <th scope="col">surprisal</th>
                    <th scope="col">entropy</th>
                    <th scope="col">rank</th>
                  </tr>
                </thead>
                <tbody>
                  {tokens.map((token) => (
                    <tr key={token.index}>
                      <th scope="row">{name({ ...token, text: token.text || '\ufffd' })}</th>
                      <td>{token.index + 1}</td>
                      <td>{percent(Math.exp(token.logprob))}</td>
                      <td>{bits(-token.logprob).toFixed(2)}</td>
                      <td>{bits(token.entropy).toFixed(2)}</td>
                      <td>{token.rank + 1}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </DataTable>
        </>
      )}
    </section>
  );
}
