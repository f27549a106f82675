/** The panel of the sampler's stages, from the logits to the draw. Each stage has a column that
 *  shows which tokens it removes. The user can switch, drag and set the stages; the logits stay the
 *  same. */
import Sortable from 'sortablejs';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Candidate, StageName, StageTrace, StepTrace } from 'tokenglass';
import type { ChainStage, Setting } from '../state/chain.js';
import { settings } from '../state/chain.js';
import type { Store } from '../state/store.js';
import { name as nameOf, percent, stageTitle } from '../format.js';
import { Slider } from '../ui/slider.js';
import { DataTable } from '../ui/data-table.js';

const MIN_LABELLED = 0.055; // a token with a smaller share of a column gets no label
const MIN_BLOCK = 0.018; // tokens with a smaller share are drawn together

interface Block {
  share: number;
  label: string;
  class: string;
  token?: number;
}

/** Candidates as blocks, each as high as its probability. Candidates that are too small to see are
 *  one block together. total: the height of all blocks, 0 to 1. */
function blocks(
  candidates: readonly Candidate[],
  probabilityOf: (candidate: Candidate) => number,
  total: number,
  className: string,
): Block[] {
  const visible = candidates.filter((candidate) => probabilityOf(candidate) >= MIN_BLOCK);
  const listed = visible.reduce((sum, candidate) => sum + probabilityOf(candidate), 0);
  const rest = total - listed;
  return [
    ...visible.map((candidate) => {
      const share = probabilityOf(candidate);
      return {
        share,
        label: share >= MIN_LABELLED ? nameOf(candidate) : '',
        class: className,
        token: candidate.token,
      };
    }),
    ...(rest > 1e-6
      ? [{ share: rest, label: rest >= MIN_LABELLED ? '…' : '', class: `${className} rest` }]
      : []),
  ];
}

/** A column of blocks. The empty part at the bottom is what earlier stages removed. */
function Column({ parts, drawn }: { parts: readonly Block[]; drawn?: number | undefined }) {
  const total = parts.reduce((sum, { share }) => sum + share, 0);
  return (
    <div class="column" aria-hidden="true">
      {parts.map((part, i) => (
        <span
          key={part.token ?? `rest ${i}`}
          class={`${part.class}${part.token !== undefined && part.token === drawn ? ' on' : ''}`}
          style={{ flexGrow: part.share }}
        >
          {part.label}
        </span>
      ))}
      <i style={{ flexGrow: Math.max(0, 1 - total) }} />
    </div>
  );
}

/** The candidates that a stage kept, and those that it removed. */
function splitAt(trace: StepTrace, stage: StageTrace): { kept: Candidate[]; removed: Candidate[] } {
  const before = new Set(
    trace.stages.slice(0, trace.stages.indexOf(stage)).map(({ name }) => name),
  );
  const reached = trace.candidates.filter(
    ({ removed_by }) => !removed_by || !before.has(removed_by),
  );
  return {
    kept: reached.filter(({ removed_by }) => removed_by !== stage.name),
    removed: reached.filter(({ removed_by }) => removed_by === stage.name),
  };
}

function Counts({ stage }: { stage: StageTrace }) {
  return (
    <p>
      <b>{stage.kept.toLocaleString('en')}</b> kept,{' '}
      <b class={stage.removed ? 'lost' : ''}>{stage.removed.toLocaleString('en')}</b> removed
    </p>
  );
}

/** A stage's column, its counts and its reason. */
function StageResult({ trace, stage }: { trace: StepTrace; stage: StageTrace }) {
  const { kept, removed } = splitAt(trace, stage);
  const lost = Math.max(0, stage.mass_before - stage.mass_after);
  return (
    <>
      <Column
        parts={[
          ...blocks(kept, ({ p }) => p, stage.mass_after, 'kept'),
          ...blocks(removed, ({ p }) => p, lost, 'out'),
        ]}
        drawn={trace.draw.token}
      />
      <Counts stage={stage} />
      <p class="reason">{stage.reason.replace(/^\w+: /, '')}</p>
    </>
  );
}

interface StageProps {
  store: Store;
  stage: ChainStage;
  index: number;
  trace: StepTrace | undefined;
}

function Stage({ store, stage: { name, on }, index, trace }: StageProps) {
  const result = trace?.stages.find((stage) => stage.name === name);
  const options = settings.filter((setting) => setting.stage === name);
  const slider = (setting: Setting) => (
    <Slider
      key={setting.name}
      id={setting.name.replaceAll('_', '-')}
      setting={setting}
      value={store.sampler.chain.value.values[setting.name]!}
      set={(value) => store.sampler.set(setting.name, value)}
    />
  );
  return (
    <li
      class={`stage${on ? '' : ' off'}`}
      data-testid={`stage-${name}`}
      data-name={name}
      data-kept={result?.kept}
      data-removed={result?.removed}
    >
      <div class="stage-head">
        <button
          type="button"
          class="grip"
          data-testid={`grip-${name}`}
          aria-label={`${stageTitle(name)}, stage ${index + 1}: left and right arrows move it`}
          title="drag, or move with the arrow keys"
          onKeyDown={(event) => {
            const to = { ArrowLeft: index - 1, ArrowRight: index + 1 }[event.key];
            if (to === undefined) return;
            event.preventDefault();
            event.stopPropagation();
            store.sampler.move(name, to);
          }}
        >
          <span aria-hidden="true" />
        </button>
        <label class="switch">
          <input
            type="checkbox"
            data-testid={`switch-${name}`}
            checked={on}
            onChange={({ currentTarget }) => store.sampler.toggle(name, currentTarget.checked)}
          />
          <span>{stageTitle(name)}</span>
        </label>
      </div>
      {on && (
        <>
          <div class="sliders">{options.slice(0, 1).map(slider)}</div>
          {trace && result && <StageResult trace={trace} stage={result} />}
          {options.length > 1 && <div class="sliders more">{options.slice(1).map(slider)}</div>}
        </>
      )}
    </li>
  );
}

/** A column that the user cannot move: the logits, the grammar or the draw. */
function FixedColumn({
  name,
  note,
  children,
}: {
  name: string;
  note: string;
  children: ComponentChildren;
}) {
  return (
    <div class="stage fixed" data-testid={`stage-${name}`}>
      <div class="stage-head">
        <b>{name}</b>
      </div>
      <div class="sliders">
        <small>{note}</small>
      </div>
      {children}
    </div>
  );
}

/** Lets the user drag stages. The library moves the element; this puts the element back and changes
 *  the chain, from which preact draws the new order. */
function useDragging(store: Store) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let next: Node | null = null;
    const sortable = Sortable.create(list.current!, {
      handle: '.grip',
      animation: reducedMotion ? 0 : 120,
      forceFallback: true,
      fallbackTolerance: 3,
      onStart: ({ item }) => void (next = item.nextSibling),
      onEnd: ({ item, newIndex, oldIndex }) => {
        list.current!.insertBefore(item, next);
        if (newIndex !== undefined && newIndex !== oldIndex)
          store.sampler.move(item.dataset['name'] as StageName, newIndex);
      },
    });
    return () => sortable.destroy();
  }, []);
  return list;
}

function Table({ trace }: { trace: StepTrace }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">stage</th>
          <th scope="col">kept</th>
          <th scope="col">removed</th>
          <th scope="col">mass kept</th>
          <th scope="col">why</th>
          <th scope="col">removed candidates</th>
        </tr>
      </thead>
      <tbody>
        {trace.stages.map((stage) => (
          <tr key={stage.name} data-stage={stage.name}>
            <th scope="row">{stageTitle(stage.name)}</th>
            <td>{stage.kept}</td>
            <td>{stage.removed}</td>
            <td>{percent(stage.mass_after)}</td>
            <td>{stage.reason.replace(/^\w+: /, '')}</td>
            <td>
              {splitAt(trace, stage)
                .removed.map((candidate) => nameOf(candidate))
                .join('  ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function StagesPanel({ store }: { store: Store }) {
  const list = useDragging(store);
  const trace = store.inspector.trace.value;
  const grammar = trace?.stages.find(({ name }) => name === 'grammar');
  return (
    <section class="stages-panel" aria-labelledby="stages-title">
      <h2 id="stages-title">
        From logits to the draw{' '}
        <small>switch or drag a stage, or move its slider; the model does not run again</small>
      </h2>
      <div class="fall" tabIndex={0} role="group" aria-label="stages, from left to right">
        <FixedColumn name="logits" note="softmax over the whole vocabulary">
          {trace && (
            <>
              <Column
                parts={blocks(trace.candidates, ({ p }) => p, 1, 'kept')}
                drawn={trace.draw.token}
              />
              <p>
                <b>{trace.n_vocab.toLocaleString('en')}</b> tokens
              </p>
            </>
          )}
        </FixedColumn>
        {trace && grammar && (
          <FixedColumn name="grammar" note="forbidden by the format">
            <StageResult trace={trace} stage={grammar} />
          </FixedColumn>
        )}
        <ol class="stages" ref={list}>
          {store.sampler.chain.value.stages.map((stage, index) => (
            <Stage key={stage.name} store={store} stage={stage} index={index} trace={trace} />
          ))}
        </ol>
        <FixedColumn name="draw" note="the final probabilities">
          {trace && (
            <Column
              parts={blocks(
                trace.candidates.toSorted((a, b) => b.p_final - a.p_final || a.token - b.token),
                ({ p_final }) => p_final,
                1,
                'kept',
              )}
              drawn={trace.draw.token}
            />
          )}
        </FixedColumn>
      </div>
      {trace && <DataTable id="stages-table">{() => <Table trace={trace} />}</DataTable>}
    </section>
  );
}
