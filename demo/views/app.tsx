/** The whole page: in, the instrument; out, its panels. */
import type { Instrument } from '../state.js';
import { count, size } from '../visible.js';
import { Choice } from './choice.js';
import { Stages } from './stages.js';
import { Text } from './text.js';

function Status({ instrument }: { instrument: Instrument }) {
  const { model, decoded, memory, rate, phase, loaded } = instrument;
  const info = model.value?.info;
  if (!info) {
    return (
      <p class="status" role="status">
        {phase.value === 'failed' ? 'no model' : `loading the built-in model, ${Math.round(100 * loaded.value)} %`}
      </p>
    );
  }
  const weights = info.quant_types.toSorted((a, b) => b.params - a.params)[0]?.name;
  return (
    <p class="status" data-testid="status" data-decoded={decoded.value}>
      <span>
        {info.name || info.architecture} · {count(info.n_params)} parameters · {weights} · {size(info.memory.file)}
      </span>
      <span title={info.threads_note && `1 thread: ${info.threads_note}`}>
        {rate.value > 0 && `${rate.value.toFixed(0)} tokens/s · `}
        {info.kernel_variant === 'relaxed' ? 'relaxed SIMD' : 'SIMD'} · {info.n_threads} thread{info.n_threads > 1 && 's'} ·{' '}
        {size(memory.value)} of memory
      </span>
    </p>
  );
}

export function App({ instrument }: { instrument: Instrument }) {
  return (
    <>
      <header>
        <h1 class="mark">
          token<i>glass</i>
        </h1>
        <Status instrument={instrument} />
      </header>
      {instrument.failure.value && (
        <p class="notice" role="alert" data-testid="failure">
          {instrument.failure.value}
        </p>
      )}
      <main class={instrument.running.value ? 'running' : ''} aria-busy={instrument.busy.value}>
        <Text instrument={instrument} />
        <Choice instrument={instrument} />
        <Stages instrument={instrument} />
      </main>
    </>
  );
}
