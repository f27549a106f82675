/** The panel of one choice: each candidate with its probability before and after the stages, and
 *  the draw. A click on a candidate continues the text with it. */
import type { Candidate, StageName, StepTrace } from 'tokenglass';
import type { Store } from '../state/store.js';
import { N_DRAWS } from '../state/queries.js';
import { name, percent, hexBytes } from '../format.js';
import { Button } from '../ui/button.js';
import { TokenName } from '../ui/token-name.js';
import { DataTable } from '../ui/data-table.js';
import { moveFocus } from '../ui/roving-focus.js';

/** 'drawn', the name of the stage that removed the candidate, or ''. */
function resultOf(candidate: Candidate, trace: StepTrace): string {
  if (candidate.token === trace.draw.token) return 'drawn';
  return candidate.removed_by ?? '';
}

interface BarProps {
  candidate: Candidate;
  trace: StepTrace;
  scale: number;
  /** The candidate's probability after the stage of the second bars. */
  after: number;
  rank?: number;
  /** True for the token that follows in the text. */
  taken: boolean;
  take: (token: number) => unknown;
}

function Bar({ candidate, trace, scale, after, rank, taken, take }: BarProps) {
  const { token, p, p_final, removed_by, logit } = candidate;
  const drawn = token === trace.draw.token;
  const reason = trace.stages.find((stage) => stage.name === removed_by)?.reason;
  const title = `${rank === undefined ? '' : `rank ${(rank + 1).toLocaleString('en')}, `}id ${token}, bytes ${hexBytes(candidate.bytes)}, logit ${logit.toFixed(3)}, ${percent(p)} before, ${percent(p_final)} after the stages${reason ? `; ${reason}` : ''}`;
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
        {resultOf(candidate, trace)}
        {taken && <em> in the text</em>}
        {rank !== undefined && <small> #{(rank + 1).toLocaleString('en')}</small>}
      </span>
    </li>
  );
}

/** Finds tokens of the vocabulary by text or id. */
function Search({ store, trace, scale }: { store: Store; trace: StepTrace; scale: number }) {
  const found = store.inspector.found.value;
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
            value={store.inspector.query.value}
            onInput={(event) => store.inspector.search(event.currentTarget.value)}
          />
        </label>
        <label>
          <span>second bars</span>
          <select
            data-testid="after"
            value={store.inspector.stage.value ?? ''}
            onChange={({ currentTarget: { value } }) =>
              store.inspector.showAfter((value || undefined) as StageName | undefined)
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
              taken={candidate.token === store.inspector.taken.value}
              take={(token) => store.runner.branch(token)}
            />
          ))}
          {found.length === 0 && <li class="note">no token of the vocabulary matches</li>}
        </ol>
      )}
    </>
  );
}

const MAX_TRIAL_ROWS = 6;

/** Repeats the draw of this choice many times, and compares the counts with the probabilities. */
function Trials({ store, trace }: { store: Store; trace: StepTrace }) {
  const draws = store.inspector.draws.value;
  const likely = trace.candidates
    .filter(({ p_final }) => p_final > 0)
    .toSorted((a, b) => b.p_final - a.p_final || a.token - b.token)
    .slice(0, MAX_TRIAL_ROWS);
  const listed = likely.reduce((sum, { p_final }) => sum + p_final, 0);
  const countOf = (token: number) => draws?.counts.get(token) ?? 0;
  const others = draws ? draws.n - likely.reduce((sum, { token }) => sum + countOf(token), 0) : 0;
  return (
    <div class="trials">
      <Button id="draws" press={() => store.inspector.tryDraws()}>
        Try {N_DRAWS} draws
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
                <td>{countOf(candidate.token)}</td>
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

/** The tokens that can be drawn, side by side, each as wide as its probability, and the random
 *  number above them. */
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
        The draw <small>the random number is u = {u.toFixed(4)}</small>
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
        {drawn ? <b>{name(drawn)}</b> : `token ${token}`} has the range {low.toFixed(4)} to{' '}
        {high.toFixed(4)}, so Step takes it.
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
          <th scope="col">result</th>
        </tr>
      </thead>
      <tbody>
        {trace.candidates.map((candidate) => (
          <tr key={candidate.token}>
            <th scope="row">{name(candidate)}</th>
            <td>{candidate.token}</td>
            <td>{hexBytes(candidate.bytes)}</td>
            <td>{candidate.logit.toFixed(3)}</td>
            <td>{percent(candidate.p)}</td>
            <td>{percent(candidate.p_final)}</td>
            <td>{resultOf(candidate, trace)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function ChoicePanel({ store }: { store: Store }) {
  const trace = store.inspector.trace.value;
  if (!trace) {
    return (
      <section class="choice-panel" aria-busy="true">
        <h2>This choice</h2>
        <p class="note">The first choice appears when the model is loaded.</p>
      </section>
    );
  }
  const after = store.inspector.after.value;
  const index = store.inspector.selected.value;
  const scale = trace.candidates.reduce(
    (max, { p, token }) => Math.max(max, p, after.get(token) ?? 0),
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
          This choice is computed with the present settings.{' '}
          <Button id="to-end" press={() => store.inspector.select(undefined)}>
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
        aria-label="Candidates, the most probable first; arrow keys move, Enter takes one"
        onKeyDown={moveFocus}
      >
        {trace.candidates.map((candidate) => (
          <Bar
            key={candidate.token}
            candidate={candidate}
            trace={trace}
            scale={scale}
            after={after.get(candidate.token) ?? 0}
            taken={candidate.token === store.inspector.taken.value}
            take={(token) => store.runner.branch(token)}
          />
        ))}
      </ol>
      <div class="row rest" data-testid="everything-else" data-p={trace.other}>
        <span class="piece">everything else</span>
        <span class="id">{others.toLocaleString('en')}</span>
        <span class="bar" aria-hidden="true">
          <i
            class={trace.other > scale ? 'clipped' : ''}
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
