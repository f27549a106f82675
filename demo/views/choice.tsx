/** One choice: every candidate with its probability before and after the stages, and the draw. Taking a candidate goes on with it. In: the store. Out: the panel. */
import type { Candidate, StageName, StepTrace } from 'tokenglass';
import type { Store } from '../state/store.js';
import { DRAWS } from '../state/queries.js';
import { name, percent, spelled } from '../format.js';
import { Button } from '../ui/button.js';
import { TokenName } from '../ui/token-name.js';
import { DataTable } from '../ui/data-table.js';
import { moveFocus } from '../ui/roving-focus.js';

/** What became of a candidate, in a word. */
function fate(candidate: Candidate, trace: StepTrace): string {
  if (candidate.token === trace.draw.token) return 'drawn';
  return candidate.removed_by ?? '';
}

interface BarProps {
  candidate: Candidate;
  trace: StepTrace;
  scale: number;
  /** Its probability after the stage that the second bars are for. */
  after: number;
  rank?: number;
  /** It stands in the text. */
  taken: boolean;
  take: (token: number) => unknown;
}

function Bar({ candidate, trace, scale, after, rank, taken, take }: BarProps) {
  const { token, p, p_final, removed_by, logit } = candidate;
  const drawn = token === trace.draw.token;
  const reason = trace.stages.find((stage) => stage.name === removed_by)?.reason;
  const title = `${rank === undefined ? '' : `rank ${(rank + 1).toLocaleString('en')}, `}id ${token}, bytes ${spelled(candidate.bytes)}, logit ${logit.toFixed(3)}, ${percent(p)} before, ${percent(p_final)} after the stages${reason ? `; ${reason}` : ''}`;
  return (
    <li
      class={`row${drawn ? ' drawn' : ''}${removed_by ? ' gone' : ''}${taken ? ' taken' : ''}`}
      data-testid={rank === undefined ? 'candidate' : 'found'}
      data-after={after}
      data-rank={rank}
      data-token={token}
      data-p={p}
      data-p_final={p_final}
      data-removed-by={removed_by}
      title={title}
      onClick={() => void take(token)}
    >
      <button
        type="button"
        class="take"
        data-roving
        tabIndex={drawn ? 0 : -1}
        aria-label={`take ${name(candidate)}: ${title}`}
      >
        <TokenName token={candidate} />
      </button>
      <span class="id">{token}</span>
      <span class="bar" aria-hidden="true">
        <i style={{ width: `${(100 * p) / scale}%` }} />
        <b style={{ width: `${(100 * after) / scale}%` }} />
      </span>
      <span class="p">{percent(p)}</span>
      <span class="why">
        {fate(candidate, trace)}
        {taken && <em> in the text</em>}
        {rank !== undefined && <small> #{(rank + 1).toLocaleString('en')}</small>}
      </span>
    </li>
  );
}

/** Any token of the vocabulary, by its text or id: its probability and what became of it. */
function Search({ store, trace, scale }: { store: Store; trace: StepTrace; scale: number }) {
  const found = store.found.value;
  return (
    <>
      <div class="tools">
        <label>
          <span>find any token</span>
          <input
            type="search"
            data-testid="search"
            placeholder="text or id"
            spellcheck={false}
            autocomplete="off"
            value={store.query.value}
            onInput={(event) => store.search(event.currentTarget.value)}
          />
        </label>
        <label>
          <span>second bars</span>
          <select
            data-testid="after"
            value={store.stage.value ?? ''}
            onChange={({ currentTarget: { value } }) =>
              store.showAfter((value || undefined) as StageName | undefined)
            }
          >
            <option value="">after all stages</option>
            {trace.stages.map(({ name }) => (
              <option key={name} value={name}>
                after {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {found && (
        <ol
          class="rows found"
          tabIndex={-1}
          aria-label="Tokens found, the most probable first"
          onKeyDown={moveFocus}
        >
          {found.map((candidate) => (
            <Bar
              key={candidate.token}
              candidate={candidate}
              trace={trace}
              scale={scale}
              after={candidate.p_final}
              rank={candidate.rank}
              taken={candidate.token === store.taken.value}
              take={(token) => store.branch(token)}
            />
          ))}
          {found.length === 0 && <li class="note">no token of the vocabulary has it</li>}
        </ol>
      )}
    </>
  );
}

const MOST_DRAWN = 6;

/** Coins of further samples of this choice, against what the probabilities promise. */
function Trials({ store, trace }: { store: Store; trace: StepTrace }) {
  const draws = store.draws.value;
  const likely = trace.candidates
    .filter(({ p_final }) => p_final > 0)
    .toSorted((a, b) => b.p_final - a.p_final || a.token - b.token)
    .slice(0, MOST_DRAWN);
  const listed = likely.reduce((sum, { p_final }) => sum + p_final, 0);
  const got = (token: number) => draws?.counts.get(token) ?? 0;
  const others = draws ? draws.n - likely.reduce((sum, { token }) => sum + got(token), 0) : 0;
  return (
    <div class="trials">
      <Button id="draws" press={() => store.tryDraws()}>
        Try {DRAWS} draws
      </Button>
      {draws && (
        <table data-testid="trials" data-n={draws.n}>
          <thead>
            <tr>
              <th scope="col">token</th>
              <th scope="col">expected</th>
              <th scope="col">drawn</th>
            </tr>
          </thead>
          <tbody>
            {likely.map((candidate) => (
              <tr key={candidate.token} data-token={candidate.token}>
                <th scope="row">
                  <TokenName token={candidate} />
                </th>
                <td>{(candidate.p_final * draws.n).toFixed(1)}</td>
                <td>{got(candidate.token)}</td>
              </tr>
            ))}
            {1 - listed > 1e-9 && (
              <tr>
                <th scope="row">others</th>
                <td>{((1 - listed) * draws.n).toFixed(1)}</td>
                <td>{others}</td>
              </tr>
            )}
          </tbody>
        </table>
      )}
    </div>
  );
}

/** The survivors side by side, as wide as they are probable, and the coin over them. */
function Draw({ trace }: { trace: StepTrace }) {
  const { u, low, high, token } = trace.draw;
  const survivors = trace.candidates
    .filter(({ p_final }) => p_final > 0)
    .toSorted((a, b) => b.p_final - a.p_final || a.token - b.token);
  const drawn = trace.candidates.find((candidate) => candidate.token === token);
  const unlisted = 1 - survivors.reduce((sum, { p_final }) => sum + p_final, 0);
  return (
    <div class="draw">
      <h3>
        The draw <small>the coin u = {u.toFixed(4)} fell here</small>
      </h3>
      <div
        class="strip"
        role="img"
        aria-label={`u = ${u.toFixed(4)} lies between ${low.toFixed(4)} and ${high.toFixed(4)}`}
      >
        {survivors.map((candidate) => (
          <span
            key={candidate.token}
            class={candidate.token === token ? 'on' : ''}
            style={{ flexGrow: candidate.p_final }}
            title={`${name(candidate)}: ${percent(candidate.p_final)}`}
          >
            {candidate.p_final > 0.06 && name(candidate)}
          </span>
        ))}
        {unlisted > 1e-9 && (
          <span style={{ flexGrow: unlisted }} title={`tokens not listed: ${percent(unlisted)}`} />
        )}
        <i
          class="coin"
          data-testid="coin"
          data-u={u}
          data-low={low}
          data-high={high}
          style={{ left: `${100 * u}%` }}
        />
      </div>
      <p>
        {drawn ? <b>{name(drawn)}</b> : `token ${token}`} holds {low.toFixed(4)} to{' '}
        {high.toFixed(4)}; Step takes it.
      </p>
    </div>
  );
}

function Table({ trace }: { trace: StepTrace }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">token</th>
          <th scope="col">id</th>
          <th scope="col">bytes</th>
          <th scope="col">logit</th>
          <th scope="col">before</th>
          <th scope="col">after</th>
          <th scope="col">what became of it</th>
        </tr>
      </thead>
      <tbody>
        {trace.candidates.map((candidate) => (
          <tr key={candidate.token}>
            <th scope="row">{name(candidate)}</th>
            <td>{candidate.token}</td>
            <td>{spelled(candidate.bytes)}</td>
            <td>{candidate.logit.toFixed(3)}</td>
            <td>{percent(candidate.p)}</td>
            <td>{percent(candidate.p_final)}</td>
            <td>{fate(candidate, trace)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Choice({ store }: { store: Store }) {
  const trace = store.trace.value;
  if (!trace) {
    return (
      <section class="choice-panel" aria-busy="true">
        <h2>This choice</h2>
        <p class="note">The first choice appears as soon as the model is there.</p>
      </section>
    );
  }
  const after = store.after.value;
  const index = store.selected.value;
  const scale = trace.candidates.reduce(
    (most, { p, token }) => Math.max(most, p, after.get(token) ?? 0),
    0,
  );
  const others = trace.n_vocab - trace.candidates.length;
  return (
    <section class="choice-panel" aria-labelledby="choice-title" data-index={index}>
      <h2 id="choice-title">
        {index === undefined ? 'This choice' : `The choice of token ${index + 1}`}{' '}
        <small>
          {trace.n_vocab.toLocaleString('en')} tokens, entropy{' '}
          {(trace.entropy / Math.LN2).toFixed(2)} bits
        </small>
      </h2>
      {index !== undefined && (
        <p class="elsewhere">
          With the settings as they are now.{' '}
          <Button id="to-end" press={() => store.select(undefined)}>
            Back to the next choice
          </Button>
        </p>
      )}
      <Search store={store} trace={trace} scale={scale} />
      <div class="row head" aria-hidden="true">
        <span>token</span>
        <span class="id">id</span>
        <span>
          <em class="grey">before</em> <em class="green">after</em>
        </span>
        <span class="p">p</span>
        <span class="why" />
      </div>
      <ol
        class="rows"
        aria-label="Candidates, the most probable first; arrows moveFocus, Enter takes one"
        onKeyDown={moveFocus}
      >
        {trace.candidates.map((candidate) => (
          <Bar
            key={candidate.token}
            candidate={candidate}
            trace={trace}
            scale={scale}
            after={after.get(candidate.token) ?? 0}
            taken={candidate.token === store.taken.value}
            take={(token) => store.branch(token)}
          />
        ))}
      </ol>
      <div class="row rest" data-testid="everything-else" data-p={trace.other}>
        <span class="piece">everything else</span>
        <span class="id">{others.toLocaleString('en')}</span>
        <span class="bar" aria-hidden="true">
          <i
            class={trace.other > scale ? 'cut' : ''}
            style={{ width: `${Math.min(100, (100 * trace.other) / scale)}%` }}
          />
        </span>
        <span class="p">{percent(trace.other)}</span>
        <span class="why" />
      </div>
      <DataTable id="choice-table">{() => <Table trace={trace} />}</DataTable>
      <Draw trace={trace} />
      <Trials store={store} trace={trace} />
    </section>
  );
}
