/** The bias of a token: how much the stage adds to its score, or that it is banned. */
import type { StageRow } from 'tokenglass';
import { withBias } from '../state/chain.js';
import type { Store } from '../state/store.js';
import { name } from '../format.js';
import { Button } from '../ui/button.js';
import { NumberField } from '../ui/number-field.js';
import { TokenName } from '../ui/token-name.js';

const MAX_BIAS = 10; // the slider's; the field takes more
const LIMITS = { min: -100, max: 100, whole: false };

/** The bias of one token, with a slider. */
export function TokenBias({ store, row }: { store: Store; row: StageRow }) {
  const { sampler } = store;
  const { token } = row;
  const bias = sampler.chain.value.bias[token] ?? 0;
  const banned = bias === -Infinity;
  const label = `Add to the score of ${name(row)}`;
  const set = (value: number) =>
    sampler.setChain(withBias(sampler.chain.value, token, value), `bias ${token}`);
  return (
    <div class="token-bias" data-testid="token-bias" data-token={token}>
      {!banned && (
        <div class="setting named">
          <span class="setting-name" aria-hidden="true">
            add to the score
          </span>
          <input
            type="range"
            data-testid={`bias-${token}`}
            aria-label={label}
            min={-MAX_BIAS}
            max={MAX_BIAS}
            step={0.5}
            value={bias}
            onInput={(event) => set(event.currentTarget.valueAsNumber)}
          />
          <NumberField
            id={`bias-${token}-number`}
            label={`${label}, number`}
            value={bias}
            step={0.5}
            limits={LIMITS}
            set={set}
          />
        </div>
      )}
      <Button id={`ban-${token}`} press={() => set(banned ? 0 : -Infinity)}>
        {banned ? 'Allow' : 'Ban'} <TokenName token={row} />
      </Button>
    </div>
  );
}

/** The tokens that have a bias. */
export function BiasList({ store }: { store: Store }) {
  const { bias } = store.sampler.chain.value;
  const rows = store.inspector.table.value?.rows.filter(({ token }) => bias[token] !== undefined);
  return (
    <ul class="bias-list">
      {rows?.map((row) => (
        <li key={row.token}>
          <b>
            <TokenName token={row} />
          </b>
          <TokenBias store={store} row={row} />
        </li>
      ))}
    </ul>
  );
}
