/** The sheet that compares two samplers or two models on the text of the page. */
import { useSignal } from '@preact/signals';
import type { StageName } from 'tokenglass';
import type { Chain, ChainStage, Setting } from '../state/chain.js';
import { moveStage, settingsOf, switchStage, withStage, withValue } from '../state/chain.js';
import type {
  ComparedPair,
  ComparedToken,
  Comparison,
  ComparisonResult,
} from '../state/compare.js';
import { N_TOKENS, comparisonOf } from '../state/compare.js';
import { stageWords } from '../state/stage-words.js';
import type { Store } from '../state/store.js';
import type { ModelLibrary } from '../state/models.js';
import { name, percent } from '../format.js';
import { Button } from '../ui/button.js';
import { MessageText } from '../ui/message.js';
import { OtherModelDialog } from './other-model.js';
import { SettingInput } from './setting.js';
import { SeedField } from './text/transport.js';

interface SettingsProps {
  chain: Chain;
  set: (chain: Chain) => void;
}

function StageSwitch({ stage, chain, set }: SettingsProps & { stage: StageName }) {
  const on = chain.stages.some(({ name, on }) => name === stage && on);
  return (
    <label class="switch">
      <input
        type="checkbox"
        data-testid={`b-switch-${stage}`}
        checked={on}
        onChange={({ currentTarget }) =>
          set(currentTarget.checked ? withStage(chain, stage) : switchStage(chain, stage, false))
        }
      />
      <span>{stageWords[stage].title}</span>
    </label>
  );
}

/** The options of a stage: its strength, and the others folded. */
function StageSettings({ stage, chain, set }: SettingsProps & { stage: StageName }) {
  const field = (setting: Setting) => (
    <SettingInput
      key={setting.name}
      setting={setting}
      prefix="b-"
      named
      value={chain.values[setting.name]!}
      set={(value) => set(withValue(chain, setting.name, value))}
    />
  );
  const [strength, ...others] = settingsOf(stage);
  return (
    <>
      {strength && field(strength)}
      {others.length > 0 && (
        <details>
          <summary>more</summary>
          {others.map(field)}
        </details>
      )}
    </>
  );
}

/** The chain of side B: the stages that are on with their sliders, then those that are off. */
function Settings({ chain, set }: SettingsProps) {
  const hasBias = Object.keys(chain.bias).length > 0;
  const isOff = ({ name, on }: ChainStage) => !on && (name !== 'logit_bias' || hasBias);
  return (
    <>
      <ul class="small-chain">
        {chain.stages.map(
          ({ name: stage, on }, index) =>
            on && (
              <li key={stage}>
                <div class="small-stage">
                  <StageSwitch stage={stage} chain={chain} set={set} />
                  {index > 0 && (
                    <Button
                      id={`b-earlier-${stage}`}
                      label={`${stageWords[stage].title} one position earlier`}
                      press={() => set(moveStage(chain, stage, index - 1))}
                    >
                      ←
                    </Button>
                  )}
                </div>
                <StageSettings stage={stage} chain={chain} set={set} />
              </li>
            ),
        )}
      </ul>
      {chain.stages.some(isOff) && (
        <div class="transport" role="group" aria-label="stages that are off">
          {chain.stages.filter(isOff).map(({ name: stage }) => (
            <StageSwitch key={stage} stage={stage} chain={chain} set={set} />
          ))}
        </div>
      )}
    </>
  );
}

const bits = (x: number | undefined) =>
  x === undefined ? '–' : x === Infinity ? '∞' : x.toFixed(3);

function Cell({ drawn }: { drawn: ComparedToken | undefined }) {
  return (
    <td>
      {drawn ? name(drawn) : '–'}{' '}
      {drawn && (
        <small>
          {percent(drawn.p)}, final {percent(drawn.p_final)}
        </small>
      )}
    </td>
  );
}

/** The text of one side, with a mark on what follows the first difference. */
function SideText({
  side,
  pairs,
  differs,
}: {
  side: 'a' | 'b';
  pairs: readonly ComparedPair[];
  differs: number | undefined;
}) {
  const text = (part: readonly ComparedPair[]) =>
    part.map((pair) => pair[side]?.text ?? '').join('');
  const n = differs ?? pairs.length;
  const rest = text(pairs.slice(n));
  return (
    <p data-testid={`compared-${side}`}>
      <b>{side.toUpperCase()}</b> …{text(pairs.slice(0, n))}
      {rest && <mark>{rest}</mark>}
    </p>
  );
}

function Result({ result }: { result: ComparisonResult }) {
  const { pairs, differs, sameVocabulary } = result;
  return (
    <div class="compared">
      <p
        data-testid="compared"
        data-parts={differs}
        data-same={differs === undefined}
        role="status"
      >
        {differs === undefined
          ? `Both sides have the same ${pairs.length} tokens.`
          : `They differ from token ${differs + 1} on.`}{' '}
        {!sameVocabulary &&
          'The models have different vocabularies, so the table compares the texts and not the distributions.'}
      </p>
      <div class="both">
        <SideText side="a" pairs={pairs} differs={differs} />
        <SideText side="b" pairs={pairs} differs={differs} />
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-label="both texts, token by token">
        <table data-testid="pairs">
          <thead>
            <tr>
              <th scope="col">#</th>
              <th scope="col">A</th>
              <th scope="col">B</th>
              <th scope="col">Difference of the models</th>
              <th scope="col">Difference after sampling</th>
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
      <p class="note">
        A difference is the Kullback-Leibler divergence of B’s probabilities from A’s, in bits: 0
        when they are equal, ∞ when A can draw a token that B cannot. After the first different
        token the texts differ, so there is no difference to compute.
      </p>
    </div>
  );
}

function Progress({ comparison }: { comparison: Comparison }) {
  const progress = comparison.progress.value;
  if (!progress) return null;
  const { n, pairs } = progress;
  return (
    <div class="comparing" data-testid="compare-progress">
      <p role="status">
        Token {n} of {N_TOKENS}
      </p>
      <progress aria-label="comparison" value={n} max={N_TOKENS} />
      <Button id="compare-cancel" press={() => comparison.cancel()}>
        Cancel
      </Button>
      <div class="both">
        <SideText side="a" pairs={pairs} differs={undefined} />
        <SideText side="b" pairs={pairs} differs={undefined} />
      </div>
    </div>
  );
}

export function CompareSheet({ store, library }: { store: Store; library: ModelLibrary }) {
  const comparison = comparisonOf(store);
  const choosing = useSignal(false);
  const { chain, seed, other, result, progress, problem } = comparison;
  const info = store.engine.model.value?.info;
  const working = progress.value !== undefined;
  const { name: modelName, architecture } = (other.value?.info ?? info) || {};
  return (
    <div class="compare-panel" aria-busy={working}>
      <p>
        A: your current settings. B: change anything.
        {store.sampler.constraint.format.value &&
          ' The output format is not part of the comparison: both sides write free text.'}
      </p>
      <Settings chain={chain.value} set={(next) => (chain.value = next)} />
      <div class="transport">
        <label class="seed">
          Seed of B
          <SeedField
            id="b-seed"
            label="Seed of B"
            value={seed.value ?? store.sampler.seed.value}
            set={(wanted) => (seed.value = wanted)}
          />
        </label>
        <span>
          Model of B: <b>{modelName || architecture}</b> {!other.value && '(the same)'}
        </span>
        <Button
          id="compare-model"
          off={library.download.value !== undefined}
          press={() => (choosing.value = true)}
        >
          Another model…
        </Button>
        {other.value && (
          <Button id="compare-same" press={() => comparison.setOther(undefined)}>
            The same model
          </Button>
        )}
      </div>
      <div class="transport">
        <Button id="compare-run" main off={working || !info} press={() => comparison.run()}>
          Compare {N_TOKENS} tokens
        </Button>
        <Button id="compare-copy" press={() => comparison.copy()}>
          Copy A’s settings
        </Button>
      </div>
      {problem.value && (
        <div class="problem" role="alert">
          <MessageText message={problem.value} />
        </div>
      )}
      <Progress comparison={comparison} />
      {!working && result.value && <Result result={result.value} />}
      <OtherModelDialog
        library={library}
        open={choosing.value}
        close={() => (choosing.value = false)}
        take={(model) => void comparison.setOther(model)}
      />
    </div>
  );
}
