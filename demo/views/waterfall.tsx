/** From logits to the draw: a column a stage, in which tokens fall where they are removed. Columns are switched, dragged and set; the step follows from the same logits. In:
 * the store. Out: the panel. */
import Sortable from 'sortablejs';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Candidate, StageName, StageTrace, StepTrace } from 'tokenglass';
import type { Place, Setting } from '../state/chain.js';
import { settings } from '../state/chain.js';
import type { Store } from '../state/store.js';
import { name as nameOf, percent, stageTitle } from '../format.js';
import { Slider } from '../ui/slider.js';
import { DataTable } from '../ui/data-table.js';

const LABELLED = 0.055; // share of a column from which a token's name fits

interface Block {
  share: number;
  label: string;
  class: string;
  token?: number;
}

/** Candidates as blocks as high as they are probable, those too small to see together as one. */
function blocks(
  candidates: readonly Candidate[],
  of: (candidate: Candidate) => number,
  all: number,
  how: string,
): Block[] {
  const seen = candidates.filter((candidate) => of(candidate) >= 0.018);
  const listed = seen.reduce((sum, candidate) => sum + of(candidate), 0);
  const rest = all - listed;
  return [
    ...seen.map((candidate) => {
      const share = of(candidate);
      return {
        share,
        label: share >= LABELLED ? nameOf(candidate) : '',
        class: how,
        token: candidate.token,
      };
    }),
    ...(rest > 1e-6
      ? [{ share: rest, label: rest >= LABELLED ? '…' : '', class: `${how} rest` }]
      : []),
  ];
}

/** Raw probability from top to bottom; what is missing at the bottom was removed before. */
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

/** Which candidates a stage let through and which it took. */
function split(trace: StepTrace, stage: StageTrace): { kept: Candidate[]; out: Candidate[] } {
  const before = new Set(
    trace.stages.slice(0, trace.stages.indexOf(stage)).map(({ name }) => name),
  );
  const reached = trace.candidates.filter(
    ({ removed_by }) => !removed_by || !before.has(removed_by),
  );
  return {
    kept: reached.filter(({ removed_by }) => removed_by !== stage.name),
    out: reached.filter(({ removed_by }) => removed_by === stage.name),
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

/** A stage's column, with what it did. */
function Fall({ trace, stage }: { trace: StepTrace; stage: StageTrace }) {
  const { kept, out } = split(trace, stage);
  const gone = Math.max(0, stage.mass_before - stage.mass_after);
  return (
    <>
      <Column
        parts={[
          ...blocks(kept, ({ p }) => p, stage.mass_after, 'kept'),
          ...blocks(out, ({ p }) => p, gone, 'out'),
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
  place: Place;
  index: number;
  trace: StepTrace | undefined;
}

function Stage({ store, place: { name, on }, index, trace }: StageProps) {
  const stage = trace?.stages.find((stage) => stage.name === name);
  const own = settings.filter((setting) => setting.stage === name);
  const slider = (setting: Setting) => (
    <Slider
      key={setting.name}
      id={setting.name.replaceAll('_', '-')}
      setting={setting}
      value={store.chain.value.values[setting.name]!}
      set={(value) => store.set(setting.name, value)}
    />
  );
  return (
    <li
      class={`stage${on ? '' : ' off'}`}
      data-testid={`stage-${name}`}
      data-name={name}
      data-kept={stage?.kept}
      data-removed={stage?.removed}
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
            store.move(name, to);
          }}
        >
          <span aria-hidden="true" />
        </button>
        <label class="switch">
          <input
            type="checkbox"
            data-testid={`switch-${name}`}
            checked={on}
            onChange={({ currentTarget }) => store.toggle(name, currentTarget.checked)}
          />
          <span>{stageTitle(name)}</span>
        </label>
      </div>
      {on && (
        <>
          <div class="sliders">{own.slice(0, 1).map(slider)}</div>
          {trace && stage && <Fall trace={trace} stage={stage} />}
          {own.length > 1 && <div class="sliders more">{own.slice(1).map(slider)}</div>}
        </>
      )}
    </li>
  );
}

/** What is no stage of the chain: the logits, a grammar, the draw. */
function Fixed({
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

/** Dragging is a library's work; the order is ours: it puts the column back, and the chain moves. */
function useDragging(store: Store) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    let next: Node | null = null;
    const sortable = Sortable.create(list.current!, {
      ...{ handle: '.grip', animation: calm ? 0 : 120, forceFallback: true, fallbackTolerance: 3 },
      onStart: ({ item }) => void (next = item.nextSibling),
      onEnd: ({ item, newIndex, oldIndex }) => {
        list.current!.insertBefore(item, next);
        if (newIndex !== undefined && newIndex !== oldIndex)
          store.move(item.dataset['name'] as StageName, newIndex);
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
          <th scope="col">removed of those listed</th>
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
              {split(trace, stage)
                .out.map((candidate) => nameOf(candidate))
                .join('  ')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Waterfall({ store }: { store: Store }) {
  const list = useDragging(store);
  const trace = store.trace.value;
  const grammar = trace?.stages.find(({ name }) => name === 'grammar');
  return (
    <section class="stages-panel" aria-labelledby="stages-title">
      <h2 id="stages-title">
        From logits to the draw{' '}
        <small>switch a stage, drag it, move its slider: the model is not run again</small>
      </h2>
      <div class="fall" tabIndex={0} role="group" aria-label="stages, from left to right">
        <Fixed name="logits" note="softmax over the whole vocabulary">
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
        </Fixed>
        {trace && grammar && (
          <Fixed name="grammar" note="what the form of the text forbids">
            <Fall trace={trace} stage={grammar} />
          </Fixed>
        )}
        <ol class="stages" ref={list}>
          {store.chain.value.places.map((place, index) => (
            <Stage key={place.name} store={store} place={place} index={index} trace={trace} />
          ))}
        </ol>
        <Fixed name="draw" note="what is left, as it is drawn from">
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
        </Fixed>
      </div>
      {trace && <DataTable id="stages-table">{() => <Table trace={trace} />}</DataTable>}
    </section>
  );
}
