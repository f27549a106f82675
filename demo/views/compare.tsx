/** The panel that compares two samplers or two models on the text of the page. */
import type { Chain } from '../state/chain.js';
import { moveStage, settings, switchStage, withValue } from '../state/chain.js';
import type { ComparedToken, Comparison, ComparisonResult } from '../state/compare.js';
import type { Store } from '../state/store.js';
import type { ModelLibrary } from '../state/models.js';
import { name, percent, stageTitle } from '../format.js';
import { Button } from '../ui/button.js';
import { Slider } from '../ui/slider.js';

/** The chain of side B, without the candidates. */
function Settings({ chain, set }: { chain: Chain; set: (chain: Chain) => void }) {
  return (
    <ul class="small-chain">
      {chain.stages.map(({ name: stage, on }, index) => (
        <li key={stage} class={on ? '' : 'off'}>
          <label class="switch">
            <input
              type="checkbox"
              data-testid={`b-switch-${stage}`}
              checked={on}
              onChange={({ currentTarget }) =>
                set(switchStage(chain, stage, currentTarget.checked))
              }
            />
            <span>{stageTitle(stage)}</span>
          </label>
          {on && index > 0 && (
            <Button
              id={`b-earlier-${stage}`}
              label={`${stage} one position earlier`}
              press={() => set(moveStage(chain, stage, index - 1))}
            >
              ↑
            </Button>
          )}
          {on &&
            settings
              .filter((setting) => setting.stage === stage)
              .map((setting) => (
                <Slider
                  key={setting.name}
                  id={`b-${setting.name.replaceAll('_', '-')}`}
                  setting={setting}
                  value={chain.values[setting.name]!}
                  set={(value) => set(withValue(chain, setting.name, value))}
                />
              ))}
        </li>
      ))}
    </ul>
  );
}

const bits = (x: number | undefined) =>
  x === undefined ? '–' : x === Infinity ? '∞' : x.toFixed(3);

function Cell({ drawn }: { drawn: ComparedToken | undefined }) {
  return (
    <td
      title={
        drawn &&
        `id ${drawn.token}, ${percent(drawn.p)} before, ${percent(drawn.p_final)} after the stages`
      }
    >
      {drawn ? name(drawn) : '–'} <small>{drawn && percent(drawn.p)}</small>
    </td>
  );
}

function Result({ result }: { result: ComparisonResult }) {
  const { pairs, differs, sameVocabulary } = result;
  return (
    <>
      <p data-testid="compared" data-parts={differs} data-same={differs === undefined}>
        {differs === undefined
          ? `The same ${pairs.length} tokens on both sides.`
          : `The first difference is at token ${differs + 1}.`}{' '}
        {!sameVocabulary &&
          'The vocabularies differ, so the table compares the texts and not the distributions.'}
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-label="both texts, token by token">
        <table data-testid="pairs">
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
              <th
                scope="col"
                title="Kullback-Leibler divergence of B from A in bits, of the model's distributions"
              >
                KL, model
              </th>
              <th
                scope="col"
                title="The same after all stages; ∞: A can draw a token that B cannot"
              >
                KL, drawn from
              </th>
            </tr>
          </thead>
          <tbody>
            {pairs.map(({ a, b, kl_raw, kl_final }, i) => (
              <tr
                key={i}
                class={i === differs ? 'parts' : ''}
                data-raw={kl_raw}
                data-p_final={kl_final}
              >
                <th scope="row">
                  {i === differs && '≠ '}
                  {i + 1}
                </th>
                <Cell drawn={a} />
                <Cell drawn={b} />
                <td>{bits(kl_raw)}</td>
                <td>{bits(kl_final)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface CompareProps {
  store: Store;
  comparison: Comparison;
  library: ModelLibrary;
  choose: () => void;
}

export function ComparePanel({ store, comparison, library, choose }: CompareProps) {
  const { chain, seed, other, result, working, problem } = comparison;
  const info = store.engine.model.value?.info;
  const shown = (name?: string) => name || 'the model';
  return (
    <section class="compare-panel" aria-labelledby="compare-title" aria-busy={working.value}>
      <h2 id="compare-title">
        Compare{' '}
        <small>
          A is the page as it is. B continues the same text with other settings or another model.
        </small>
      </h2>
      <div class="sides">
        <div>
          <h3>B</h3>
          <Settings chain={chain.value} set={(next) => (chain.value = next)} />
          <label class="seed">
            seed
            <input
              data-testid="b-seed"
              type="number"
              min={0}
              value={seed.value ?? store.sampler.seed.value}
              onInput={({ currentTarget: { valueAsNumber } }) => {
                if (Number.isSafeInteger(valueAsNumber) && valueAsNumber >= 0)
                  seed.value = valueAsNumber;
              }}
            />
          </label>
          <p>
            model: <b>{shown(other.value?.info.name ?? info?.name)}</b>{' '}
            {other.value ? '' : '(the same)'}
          </p>
          <div class="transport">
            <Button
              id="compare-run"
              main
              off={working.value || !info}
              press={() => comparison.run()}
            >
              Compare
            </Button>
            <Button id="compare-copy" press={() => comparison.copy()}>
              Settings of A
            </Button>
            <Button id="compare-model" off={library.download.value !== undefined} press={choose}>
              Another model…
            </Button>
            {other.value && (
              <Button id="compare-same" press={() => comparison.setOther(undefined)}>
                The same model
              </Button>
            )}
          </div>
          {problem.value && (
            <p class="problem" role="alert">
              {problem.value}
            </p>
          )}
        </div>
        <div>
          {result.value ? (
            <Result result={result.value} />
          ) : (
            <p class="note">Nothing has been compared yet.</p>
          )}
        </div>
      </div>
    </section>
  );
}
