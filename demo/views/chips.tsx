/** The stages as chips, for a narrow screen. A chip opens its stage's sliders in a panel at the top
 *  of the screen: the panel covers the text, but not the ledger. */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { StageName } from 'tokenglass';
import { settingsOf, stagesOn } from '../state/chain.js';
import { stageWords } from '../state/stage-words.js';
import type { Store } from '../state/store.js';
import { keptOf } from '../state/why-stages.js';
import { Button } from '../ui/button.js';
import { AddStage, StageMenu } from './ledger-head.js';
import { SettingField } from './setting.js';

/** The sliders of one stage. */
function ChipPanel({ store, name, close }: { store: Store; name: StageName; close: () => void }) {
  const panel = useRef<HTMLDivElement>(null);
  const [strength] = settingsOf(name);
  const { title } = stageWords[name];
  const result = store.inspector.table.value?.stages.find((stage) => stage.name === name);
  useLayoutEffect(() => {
    const bottom = panel.current!.getBoundingClientRect().bottom;
    const top = document.querySelector('.ledger')?.getBoundingClientRect().top ?? bottom;
    if (top < bottom || top > innerHeight / 2) window.scrollBy(0, top - bottom);
  }, [name]);
  return (
    <div
      ref={panel}
      class="chip-panel"
      role="group"
      aria-label={title}
      data-testid="chip-panel"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <div class="head-line">
        <b>
          {title} {result && <small data-testid={`kept-${name}`}>{keptOf(result)}</small>}
        </b>
        <Button id="chip-close" label="Close" press={close}>
          ×
        </Button>
      </div>
      {strength && <SettingField store={store} setting={strength} />}
      <details>
        <summary>More about {stageWords[name].inText}</summary>
        <StageMenu store={store} name={name} close={close} />
      </details>
    </div>
  );
}

export function StageChips({ store }: { store: Store }) {
  const open = useSignal<StageName | undefined>(undefined);
  const { chain } = store.sampler;
  const order = stagesOn(chain.value);
  const close = () => {
    const name = open.value;
    open.value = undefined;
    document.querySelector<HTMLElement>(`[data-testid="chip-${name}"]`)?.focus();
  };
  return (
    <>
      <div class="chips" role="group" aria-label="Stages of the sampler">
        {order.map((name) => {
          const [strength] = settingsOf(name);
          return (
            <button
              key={name}
              type="button"
              class="chip"
              data-testid={`chip-${name}`}
              aria-expanded={open.value === name}
              onClick={() => (open.value = open.value === name ? undefined : name)}
            >
              {stageWords[name].title} {strength && chain.value.values[strength.name]}
            </button>
          );
        })}
        <AddStage store={store} />
      </div>
      {open.value !== undefined && order.includes(open.value) && (
        <ChipPanel store={store} name={open.value} close={close} />
      )}
    </>
  );
}
