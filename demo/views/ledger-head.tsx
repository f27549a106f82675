/** The heads of the ledger's columns: a stage's name, its slider, its menu. A stage is moved by
 *  dragging its name, with the arrow keys, or by its menu. */
import { useSignal } from '@preact/signals';
import type { StageName, StageTable } from 'tokenglass';
import { placeStage, settingsOf, stagesOn, withoutBias } from '../state/chain.js';
import { stageWords } from '../state/stage-words.js';
import { keptOf } from '../state/why-stages.js';
import type { Store } from '../state/store.js';
import { count } from '../format.js';
import { Button } from '../ui/button.js';
import { isPhone } from '../ui/media.js';
import { Popover } from '../ui/popover.js';
import { SettingField } from './setting.js';
import { BiasList } from './token-bias.js';

const DRAG_START = 5; // pixels that the pointer moves before a press becomes a drag

/** The stage that the user has moved or added: its name gets the focus when the table shows the
 *  new order. */
let moved: StageName | undefined;

/** Moves a stage to a position among the stages that are on. */
function place(store: Store, name: StageName, position: number): void {
  moved = name;
  store.sampler.setChain(placeStage(store.sampler.chain.value, name, position));
}

/** After the table is drawn: the stage that was moved has the focus again. */
export function keepFocus(store: Store, table: StageTable): void {
  if (moved === undefined) return;
  const inChain = stagesOn(store.sampler.chain.value);
  const ran = table.stages.map(({ name }) => name).filter((name) => inChain.includes(name));
  if (ran.join() !== inChain.join()) return; // still the old order
  document.querySelector<HTMLElement>(`[data-testid="move-${moved}"]`)?.focus();
  moved = undefined;
}

/** The position among the other heads at which a pointer is. */
function positionAt(x: number, name: StageName): number {
  const others = [...document.querySelectorAll<HTMLElement>('.ledger th[data-stage]')].filter(
    ({ dataset }) => dataset['stage'] !== name,
  );
  return others.filter((head) => {
    const { left, width } = head.getBoundingClientRect();
    return left + width / 2 < x;
  }).length;
}

/** The question mark of a column: it shows in Why what the column means. */
export function AskWhy({ store, column }: { store: Store; column: StageName | 'model' | 'final' }) {
  const { focus } = store.inspector;
  const title =
    column === 'model' ? 'Model says' : column === 'final' ? 'Final' : stageWords[column].title;
  return (
    <Button
      id={`ask-${column}`}
      pressed={focus.value?.stage === column && focus.value.token === undefined}
      label={`What is this? ${title}`}
      press={() => (focus.value = { stage: column })}
    >
      ?
    </Button>
  );
}

/** What the menu of a stage holds: the sentence, all options, moves and removal. */
export function StageMenu({
  store,
  name,
  close,
}: {
  store: Store;
  name: StageName;
  close: () => void;
}) {
  const order = stagesOn(store.sampler.chain.value);
  const position = order.indexOf(name);
  return (
    <div class="stage-menu">
      <p>{stageWords[name].does}</p>
      {name === 'logit_bias' && <BiasList store={store} />}
      {settingsOf(name)
        .slice(1)
        .map((setting) => (
          <SettingField key={setting.name} store={store} setting={setting} named />
        ))}
      <div class="menu-buttons">
        <Button
          id={`earlier-${name}`}
          off={position === 0}
          press={() => {
            close();
            place(store, name, position - 1);
          }}
        >
          ← Move earlier
        </Button>
        <Button
          id={`later-${name}`}
          off={position === order.length - 1}
          press={() => {
            close();
            place(store, name, position + 1);
          }}
        >
          Move later →
        </Button>
        <Button
          id={`remove-${name}`}
          press={() => {
            close();
            if (name === 'logit_bias')
              store.sampler.setChain(withoutBias(store.sampler.chain.value));
            else store.sampler.remove(name);
          }}
        >
          ✕ Remove
        </Button>
      </div>
    </div>
  );
}

interface StageHeadProps {
  store: Store;
  table: StageTable;
  name: StageName;
}

/** The head of a stage that the user can move and set. */
export function StageHead({ store, table, name }: StageHeadProps) {
  const dragged = useSignal(false);
  const order = stagesOn(store.sampler.chain.value);
  const position = order.indexOf(name);
  const { title } = stageWords[name];
  const result = table.stages.find((stage) => stage.name === name);
  const [strength] = settingsOf(name);
  const n_biased = Object.keys(store.sampler.chain.value.bias).length;

  const startDrag = (down: PointerEvent & { currentTarget: HTMLElement }) => {
    if (down.button !== 0) return;
    const button = down.currentTarget;
    let to: number | undefined;
    const move = ({ clientX }: PointerEvent) => {
      if (to === undefined && Math.abs(clientX - down.clientX) < DRAG_START) return;
      dragged.value = true;
      to = positionAt(clientX, name);
      button.style.translate = `${clientX - down.clientX}px`;
    };
    const end = (event: PointerEvent) => {
      button.removeEventListener('pointermove', move);
      button.style.translate = '';
      dragged.value = false;
      if (to === undefined) return;
      // the click that follows a drag would open the menu
      const stop = (click: Event) => click.preventDefault();
      button.addEventListener('click', stop, { once: true });
      setTimeout(() => button.removeEventListener('click', stop));
      if (event.type === 'pointerup' && to !== position) place(store, name, to);
    };
    button.setPointerCapture(down.pointerId);
    button.addEventListener('pointermove', move);
    button.addEventListener('pointerup', end, { once: true });
    button.addEventListener('pointercancel', end, { once: true });
  };

  return (
    <th
      scope="col"
      class={`stage${dragged.value ? ' dragged' : ''}${position === order.length - 1 ? ' last' : ''}`}
      data-testid={`stage-${name}`}
      data-stage={name}
      data-kept={result?.kept}
      data-removed={result?.removed}
    >
      <div class="head-line">
        <Popover
          id={`move-${name}`}
          class="stage-name"
          text={
            <>
              {title}
              <span aria-hidden="true">⋮</span>
            </>
          }
          button={{
            title: 'Options; drag to move',
            'aria-describedby': 'move-hint',
            onPointerDown: startDrag,
            onKeyDown: (event) => {
              const to = { ArrowLeft: position - 1, ArrowRight: position + 1 }[event.key];
              if (to === undefined) return;
              event.preventDefault();
              event.stopPropagation();
              place(store, name, to);
            },
          }}
        >
          {(close) => <StageMenu store={store} name={name} close={close} />}
        </Popover>
        <AskWhy store={store} column={name} />
      </div>
      {strength && <SettingField store={store} setting={strength} />}
      {result && <small data-testid={`kept-${name}`}>{keptOf(result)}</small>}
      {name === 'logit_bias' && <small>{count(n_biased)} of your tokens</small>}
    </th>
  );
}

/** The menu of the stages that are off. */
export function AddStage({ store }: { store: Store }) {
  const { stages, bias } = store.sampler.chain.value;
  const hasBias = Object.keys(bias).length > 0;
  const off = stages.filter(({ name, on }) => !on && (name !== 'logit_bias' || hasBias));
  return (
    <Popover id="add-stage" class="add-stage" text="+ add stage">
      {(close) => (
        <ul class="add-menu">
          {off.map(({ name }) => {
            const { title, does, inventedFor } = stageWords[name];
            return (
              <li key={name}>
                <Button
                  id={`add-${name}`}
                  press={() => {
                    close();
                    moved = name;
                    store.sampler.add(name);
                    store.inspector.focus.value = { stage: name };
                  }}
                >
                  {title}
                </Button>
                <p>
                  {does} <small>Invented {inventedFor}.</small>
                </p>
              </li>
            );
          })}
          {!hasBias && (
            <li>
              <span>{stageWords.logit_bias.title}</span>
              <p>
                {stageWords.logit_bias.does} {isPhone.value ? 'Tap' : 'Click'} a number of a token:{' '}
                <i>Why</i> has the controls.
              </p>
            </li>
          )}
        </ul>
      )}
    </Popover>
  );
}
