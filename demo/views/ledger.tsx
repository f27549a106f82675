/** The ledger: what can come next. One row a token, one column a stage; each cell is the token's
 *  probability after that stage. */
import type { ComponentChildren, TargetedKeyboardEvent } from 'preact';
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { StageName, StageRow, StageTable } from 'tokenglass';
import { stagesOn } from '../state/chain.js';
import type { Focus } from '../state/inspector.js';
import { MAX_ROWS } from '../state/inspector.js';
import type { Column } from '../state/ledger.js';
import {
  bitsOf,
  equalChoices,
  groupsInView,
  scaleOf,
  together,
  withRows,
} from '../state/ledger.js';
import type { PresetName } from '../state/presets.js';
import { presetChain, presetOf, presets } from '../state/presets.js';
import { stageWords } from '../state/stage-words.js';
import type { Store } from '../state/store.js';
import { CUTS_NOTHING, keptOf, survivorsOf } from '../state/why-stages.js';
import { drawnRow } from '../state/why.js';
import { spokenName } from '../state/spoken.js';
import { count } from '../format.js';
import { Button } from '../ui/button.js';
import { isPhone } from '../ui/media.js';
import { useWidth } from '../ui/use-width.js';
import { Draw } from './draw.js';
import { AddStage, AskWhy, StageHead, keepFocus } from './ledger-head.js';
import type { RowContext } from './ledger-rows.js';
import { FoldedGroups, GroupRow, TokenRow, groupTitles } from './ledger-rows.js';
import { WhyText, placeOf } from './why.js';

const ROW_HEIGHT = 25; // pixels
// on a phone
const PHONE_ROW_HEIGHT = 44; // pixels
const PHONE_REST = 476; // pixels of the rest: four lines of text, the draw, the buttons
const [MIN_PHONE_ROWS, MAX_PHONE_ROWS] = [3, 8];
const MAX_FOUND_ROWS = 12;
const MAX_GROUPS = 4; // more are one row, until the user opens them
// widths in pixels: of the columns for token and score, of each further column, of the last one
const TOKEN_WIDTH = 186;
const COLUMN_WIDTH = 123;
const END_WIDTH = 92;
const PINNED_END_WIDTH = 118; // with the final number

/** The number of rows that a phone shows together with the text, the draw and the buttons. */
function phoneRows(): number {
  const room = document.documentElement.clientHeight - PHONE_REST;
  const n_rows = Math.floor(room / PHONE_ROW_HEIGHT);
  return Math.max(MIN_PHONE_ROWS, Math.min(MAX_PHONE_ROWS, n_rows));
}

/** The rows in view: found tokens first. The others count in their groups. */
function rowsInView(
  table: StageTable,
  found: readonly number[] | undefined,
  maxRows: number,
  taken: number | undefined,
): { rows: StageRow[]; folded: StageRow[] } {
  const isFound = ({ token }: StageRow) => found?.includes(token) ?? false;
  const foundRows = table.rows.filter(isFound);
  const others = table.rows.filter((row) => !isFound(row));
  const isNeeded = ({ token }: StageRow) => token === table.draw.token || token === taken;
  const n_needed = others.slice(maxRows).filter(isNeeded).length;
  const isKept = (row: StageRow, index: number) => index < maxRows - n_needed || isNeeded(row);
  return {
    rows: [...foundRows.slice(0, MAX_FOUND_ROWS), ...others.filter(isKept)],
    folded: [
      ...foundRows.slice(MAX_FOUND_ROWS),
      ...others.filter((row, index) => !isKept(row, index)),
    ],
  };
}

/** Arrow keys, Home and End move the focus between the cells of the rows. Why explains the cell. */
function moveInGrid(event: TargetedKeyboardEvent<HTMLElement>, ask: (focus: Focus) => void): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const cell = (event.target as Element).closest<HTMLElement>('[data-cell]');
  const row = cell?.closest('tr');
  if (!cell || !row) return;
  const rows = [...event.currentTarget.querySelectorAll('tr:has([data-cell])')];
  const cellsOf = (row: Element | undefined) => [
    ...(row?.querySelectorAll<HTMLElement>('[data-cell]') ?? []),
  ];
  const x = cellsOf(row).indexOf(cell);
  const y = rows.indexOf(row);
  const to = {
    ArrowDown: cellsOf(rows[y + 1])[x],
    ArrowUp: cellsOf(rows[y - 1])[x],
    ArrowRight: cellsOf(row)[x + 1],
    ArrowLeft: cellsOf(row)[x - 1],
    Home: cellsOf(row)[0],
    End: cellsOf(row).at(-1),
  };
  if (!(event.key in to)) return;
  event.preventDefault();
  event.stopPropagation();
  const next = to[event.key as keyof typeof to];
  next?.focus();
  const token = Number(next?.closest('tr')?.dataset['token']);
  const stage = (next?.dataset['stage'] ?? 'final') as Focus['stage'];
  if (next && Number.isInteger(token)) ask({ stage, token });
}

const arrow = (from: string, to: string) => (from === to ? from : `${from} → ${to}`);

function Uncertainty({ table, short }: { table: StageTable; short: boolean }) {
  const [before, after] = [table.entropy, table.entropy_final];
  const bits = arrow(bitsOf(before).toFixed(1), bitsOf(after).toFixed(1));
  if (short) return <small>{bits} bits</small>;
  const choices = arrow(count(equalChoices(before)), count(equalChoices(after)));
  return (
    <small>
      uncertainty <b>{bits} bits</b>,{' '}
      {choices === '1' ? 'one choice' : `like ${choices} equal choices`}
    </small>
  );
}

/** Finds tokens of the vocabulary by text or id. */
function Search({ store }: { store: Store }) {
  const { found, query } = store.inspector;
  const shown = found.value?.length ?? 0;
  return (
    <div class="find">
      <input
        type="search"
        data-testid="search"
        aria-label="Find any token by its text or id"
        placeholder="Find any token"
        spellcheck={false}
        autocomplete="off"
        value={query.value}
        onInput={(event) => store.inspector.search(event.currentTarget.value)}
      />
      <small role="status">
        {found.value && shown === 0 && `No token contains “${query.value}”.`}
        {shown > MAX_FOUND_ROWS && `The ${MAX_FOUND_ROWS} most probable are shown.`}
      </small>
    </div>
  );
}

const OWN_SETTINGS = 'own';

function Presets({ store }: { store: Store }) {
  const { sampler } = store;
  const present = presetOf(sampler.chain.value);
  const title = presets.find(({ name }) => name === present)?.title ?? 'Own settings';
  return (
    <div class="presets">
      {/* the options are longer than the closed list has room for: it shows the name alone */}
      <div class="preset">
        <span aria-hidden="true">
          {title} <span>▾</span>
        </span>
        <select
          data-testid="preset"
          aria-label="Preset of the sampler"
          value={present ?? OWN_SETTINGS}
          onChange={({ currentTarget: { value } }) => {
            if (value !== OWN_SETTINGS) sampler.setChain(presetChain(value as PresetName));
          }}
        >
          <option value={OWN_SETTINGS} disabled={present !== undefined}>
            Own settings
          </option>
          {presets.map(({ name, title, says }) => (
            <option key={name} value={name}>
              {title}: {says}
            </option>
          ))}
        </select>
      </div>
      <Button id="defaults" off={present === 'default'} press={() => sampler.defaults()}>
        Defaults
      </Button>
    </div>
  );
}

/** The head of a column that the user cannot move. */
function FixedHead({
  store,
  column,
  title,
  children,
}: {
  store: Store;
  column: StageName | 'model';
  title: string;
  children: ComponentChildren;
}) {
  const result = store.inspector.table.value?.stages.find(({ name }) => name === column);
  return (
    <th scope="col" class="fixed" data-testid={`stage-${column}`} data-kept={result?.kept}>
      <div class="head-line">
        <b>{title}</b> <AskWhy store={store} column={column} />
      </div>
      <small>{children}</small>
      {result && <small>{keptOf(result)}</small>}
    </th>
  );
}

function Heads({
  store,
  table,
  context,
}: {
  store: Store;
  table: StageTable;
  context: RowContext;
}) {
  const movable = stagesOn(store.sampler.chain.value);
  return (
    <thead>
      <tr>
        <th scope="col" class="token-head">
          <b>Token</b>
          <small>{count(table.n_vocab)} possible</small>
        </th>
        <th scope="col" class="score">
          <b>Score</b>
          <small>logit</small>
        </th>
        {context.columns.map((column) =>
          column === 'model' ? (
            <FixedHead key={column} store={store} column={column} title="Model says">
              probability, %
            </FixedHead>
          ) : movable.includes(column) ? (
            <StageHead key={column} store={store} table={table} name={column} />
          ) : (
            <FixedHead key={column} store={store} column={column} title={stageWords[column].title}>
              {column === 'grammar' ? 'only JSON' : 'your list'}
            </FixedHead>
          ),
        )}
        <th scope="col" class="end">
          <div class="head-line">
            <b class={context.pinned ? '' : 'heard'}>Final</b>
            {context.pinned && <AskWhy store={store} column="final" />}
          </div>
          <AddStage store={store} />
        </th>
      </tr>
    </thead>
  );
}

function PhoneHeads() {
  return (
    <thead>
      <tr>
        <th scope="col">
          <b>Token</b>
        </th>
        <td />
        <th scope="col" class="n">
          model
        </th>
        <th scope="col" class="n">
          final
        </th>
      </tr>
    </thead>
  );
}

/** Says what a change of the settings did, for screen readers. */
function useSpokenChange(store: Store): string {
  const { table } = store.inspector;
  const chain = store.sampler.chain.value;
  const last = useRef({ table: table.value, chain });
  const words = useRef('');
  if (table.value && last.current.table !== table.value) {
    const isChange = last.current.chain !== chain && last.current.table;
    const kept = count(survivorsOf(table.value));
    words.current = isChange ? `${kept} kept; next: ${spokenName(drawnRow(table.value))}` : '';
    last.current = { table: table.value, chain };
  }
  return words.current;
}

function useContext(store: Store, table: StageTable, phone: boolean, width: number): RowContext {
  const place = placeOf(store);
  const taken = store.inspector.taken.value;
  return useMemo(() => {
    const columns: Column[] = ['model', ...table.stages.map(({ name }) => name)];
    const take = (token: number, byKeyboard: boolean) =>
      void Promise.resolve(store.runner.branch(token)).then(() => {
        if (byKeyboard)
          requestAnimationFrame(() =>
            document.querySelector<HTMLElement>('.ledger .next [data-roving]')?.focus(),
          );
      });
    return {
      ...{ table, columns, place, taken, phone, take },
      tabStop: place === 'ended' ? table.rows[0]?.token : table.draw.token,
      scale: scaleOf(table),
      pinned: TOKEN_WIDTH + columns.length * COLUMN_WIDTH + END_WIDTH > width,
      ask: (focus) => (store.inspector.focus.value = focus),
    };
  }, [table, place, taken, phone, width]);
}

function Table({ store, table, phone }: { store: Store; table: StageTable; phone: boolean }) {
  const { element, width } = useWidth<HTMLDivElement>(1040);
  const context = useContext(store, table, phone, width);
  const { columns, taken } = context;
  const { focus, found } = store.inspector;
  const isOpen = useSignal(false);
  const maxRows = phone && !isOpen.value ? phoneRows() : Infinity;
  const { rows, folded } = rowsInView(table, found.value, maxRows, taken);
  const groups = groupsInView({ ...table, groups: withRows(table, table.groups, folded) });
  const isFolded = !isOpen.value && (phone || groups.length > MAX_GROUPS);
  const canFold = phone || groups.length > MAX_GROUPS;
  // the draw below stays in its place when the next choice has fewer rows or groups
  const n_cutting = table.stages.filter(({ name }) => !CUTS_NOTHING.includes(name)).length;
  const n_usual = MAX_ROWS + Math.min(MAX_GROUPS, n_cutting + 1);
  const n_missing = Math.max(0, n_usual - rows.length - (isFolded ? 1 : groups.length));
  const endWidth = context.pinned ? PINNED_END_WIDTH : END_WIDTH;
  const minWidth = TOKEN_WIDTH + columns.length * COLUMN_WIDTH + endWidth;
  useLayoutEffect(() => keepFocus(store, table));
  return (
    <div
      ref={element}
      class={`ledger-scroll${context.pinned ? ' pinned' : ''}`}
      style={phone ? {} : { paddingBottom: `${n_missing * ROW_HEIGHT}px` }}
    >
      <table
        role="grid"
        class={phone ? 'phone' : ''}
        aria-label="Tokens that can come next, and their probability after each stage. Arrow keys move, Enter on a token continues with the token."
        style={phone ? {} : { minWidth: `${minWidth}px` }}
        onKeyDown={(event) => moveInGrid(event, context.ask)}
      >
        {phone ? <PhoneHeads /> : <Heads store={store} table={table} context={context} />}
        <tbody>
          {rows.map((row) => {
            const asked = focus.value?.token === row.token ? focus.value : undefined;
            return [
              <TokenRow
                key={row.token}
                row={row}
                found={found.value?.includes(row.token) ?? false}
                context={context}
                focus={asked}
              />,
              phone && asked && (
                <tr key="why" class="why-row">
                  <td colSpan={4}>
                    <Button
                      id="why-close"
                      label="Close"
                      press={() => (store.inspector.focus.value = undefined)}
                    >
                      ×
                    </Button>
                    <WhyText store={store} />
                  </td>
                </tr>
              ),
            ];
          })}
          {isFolded
            ? !phone && <FoldedGroups sum={together(groups)} context={context} />
            : groups.map((group) => (
                <GroupRow
                  key={group.removed_by ?? 'kept'}
                  group={group}
                  rows={rows}
                  context={context}
                />
              ))}
        </tbody>
      </table>
      {canFold && (
        <button
          type="button"
          class="plain fold"
          data-testid="groups"
          aria-expanded={!isFolded}
          onClick={() => (isOpen.value = !isOpen.value)}
        >
          {!isFolded ? 'Show less' : phone ? groupTitles(groups, rows) : 'Show the groups'}
        </button>
      )}
    </div>
  );
}

export function Ledger({ store }: { store: Store }) {
  const { inspector } = store;
  const phone = isPhone.value;
  const spoken = useSpokenChange(store);
  const table = inspector.table.value;
  const index = inspector.selected.value;
  const tools = table && (
    <>
      <Presets store={store} />
      <Search store={store} />
    </>
  );
  return (
    <section
      class="ledger ledger-panel"
      aria-labelledby="ledger-title"
      data-testid="ledger"
      data-index={index}
      aria-busy={!table}
    >
      <div class="ledger-line">
        <h2 id="ledger-title">
          {index === undefined ? 'What comes next?' : `What could have been token ${index + 1}`}{' '}
          {table && <Uncertainty table={table} short={phone || index !== undefined} />}
        </h2>
        {index !== undefined && (
          <Button id="to-end" press={() => inspector.select(undefined)}>
            Back to the end of the text
          </Button>
        )}
        {!phone && tools}
      </div>
      {table ? (
        <>
          <Table store={store} table={table} phone={phone} />
          <Draw store={store} table={table} />
          {phone && <div class="ledger-line">{tools}</div>}
        </>
      ) : (
        <p class="note">
          {store.status.phase.value === 'loading'
            ? 'The tokens and their probabilities appear when the model is loaded.'
            : 'There is no text whose next token could be shown.'}
        </p>
      )}
      <p class="heard" id="move-hint">
        Left and right arrow keys move the stage.
      </p>
      <p class="heard" aria-live="polite">
        {spoken}
      </p>
    </section>
  );
}
