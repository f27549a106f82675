/** The rows of the ledger: one for a token, with its probability after each stage; one for each
 *  group of tokens without a row. */
import { Component } from 'preact';
import type { StageGroup, StageRow, StageTable } from 'tokenglass';
import type { Focus } from '../state/inspector.js';
import type { Column } from '../state/ledger.js';
import { columnIndex, cutIndex, finalOf, probabilityAt } from '../state/ledger.js';
import { spokenName } from '../state/spoken.js';
import { stageWords } from '../state/stage-words.js';
import type { Place } from '../state/why.js';
import { cutReason } from '../state/why-stages.js';
import { cellPercent, count } from '../format.js';
import { TokenName } from '../ui/token-name.js';

/** What all rows need. A new object means that the table has changed. */
export interface RowContext {
  readonly table: StageTable;
  readonly columns: readonly Column[];
  /** The probability whose bar fills a cell. */
  readonly scale: number;
  readonly place: Place;
  /** The token whose row the Tab key reaches. */
  readonly tabStop: number | undefined;
  /** The token of the text at the place of the choice. */
  readonly taken: number | undefined;
  /** The last column repeats the final number, because a stage's column may be out of view. */
  readonly pinned: boolean;
  readonly phone: boolean;
  readonly take: (token: number, byKeyboard: boolean) => void;
  readonly ask: (focus: Focus) => void;
}

/** The short remark beside a row. */
function markOf(row: StageRow, { table, place, taken }: RowContext): string {
  const isDrawn = row.token === table.draw.token && place !== 'ended';
  if (row.token === taken) return '◀ used here';
  if (!isDrawn) return '';
  return place === 'next' ? '◀ next' : 'would be drawn';
}

/** A row's name as it is read: "had, with a space before, 23.7 percent, final 39.2, next". */
function spokenRow(row: StageRow, mark: string): string {
  const { removed_by } = row;
  const end =
    removed_by === undefined
      ? `final ${cellPercent(row.p_final)}`
      : `cut by ${stageWords[removed_by].inText}`;
  const said = mark && `, ${mark.replace('◀ ', '')}`;
  return `${spokenName(row)}, ${cellPercent(row.p)} percent, ${end}${said}`;
}

function Bar({ p, scale, kind = '' }: { p: number; scale: number; kind?: string }) {
  const clipped = p > scale ? ' clipped' : '';
  return (
    <span class="bar" aria-hidden="true">
      {p > 0 && (
        <i class={kind + clipped} style={{ width: `${(100 * Math.min(p, scale)) / scale}%` }} />
      )}
    </span>
  );
}

/** The number and the bar of a cell. */
function Amount({ p, scale }: { p: number; scale: number }) {
  return (
    <div class="amount">
      <Bar p={p} scale={scale} />
      <span class="n">{cellPercent(p)}</span>
    </div>
  );
}

interface RowProps {
  row: StageRow;
  found: boolean;
  context: RowContext;
  /** The focus of Why, when it is in this row. */
  focus: Focus | undefined;
}

function StageCell({
  row,
  column,
  context,
  asked,
}: {
  row: StageRow;
  column: Column;
  context: RowContext;
  asked: boolean;
}) {
  const { table, columns, scale } = context;
  const index = columnIndex(table, column)!;
  const classes = `${column === columns.at(-1) ? ' last' : ''}${asked ? ' asked' : ''}`;
  const common = {
    'data-testid': 'cell',
    'data-stage': column,
    'data-cell': true,
    tabIndex: -1,
  };
  const p = probabilityAt(row, index);
  const cutAt = cutIndex(table, row);
  if (index === cutAt)
    return (
      <td {...common} class={`cut${classes}`} data-p={p}>
        <span>✕ cut here</span>
      </td>
    );
  if (index > cutAt)
    return (
      <td {...common} class={`gone${classes}`} data-p={p}>
        <span class="heard">cut before</span>
      </td>
    );
  return (
    <td {...common} class={`column${column === 'model' ? ' model' : ''}${classes}`} data-p={p}>
      <Amount p={p} scale={scale} />
    </td>
  );
}

/** Draws a row again only when the table, or the row's own focus, has changed. */
export class TokenRow extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    const { row, found, context, focus } = this.props;
    return (
      next.row !== row ||
      next.found !== found ||
      next.context !== context ||
      next.focus?.stage !== focus?.stage
    );
  }

  override render() {
    const { row, found, context, focus } = this.props;
    const { table, columns, pinned, phone, place, taken, tabStop } = context;
    const mark = markOf(row, context);
    const isNext = row.token === table.draw.token && place !== 'ended';
    const classes = [
      isNext ? 'next' : '',
      row.token === taken ? 'taken' : '',
      found ? 'found' : '',
      row.removed_by === undefined ? '' : 'removed',
    ];
    const ask = ({ target }: Event) => {
      const cell = (target as Element).closest<HTMLElement>('[data-stage]');
      const stage = cell?.dataset['stage'] as Focus['stage'] | undefined;
      if (stage) context.ask({ stage, token: row.token });
    };
    return (
      <tr
        class={classes.filter(Boolean).join(' ')}
        data-testid="candidate"
        data-token={row.token}
        data-p={row.p}
        data-p_final={row.p_final}
        data-rank={row.rank}
        data-removed-by={row.removed_by}
        onClick={ask}
      >
        <th scope="row">
          <button
            type="button"
            class="take"
            data-roving
            data-cell
            tabIndex={row.token === tabStop ? 0 : -1}
            aria-label={spokenRow(row, mark)}
            title={`id ${row.token}`}
            onClick={(event) => context.take(row.token, event.detail === 0)}
          >
            <TokenName token={row} />
          </button>
        </th>
        {phone ? (
          <PhoneCells row={row} context={context} />
        ) : (
          <>
            <td class="score" data-stage="model" data-cell tabIndex={-1}>
              {row.logit.toFixed(2)}
            </td>
            {columns.map((column) => (
              <StageCell
                key={column}
                row={row}
                column={column}
                context={context}
                asked={focus?.stage === column}
              />
            ))}
            <td class="end" data-stage="final" data-cell tabIndex={-1}>
              {pinned && (
                <b class="n">{row.removed_by === undefined && cellPercent(row.p_final)}</b>
              )}{' '}
              {mark && <span class="mark-next">{mark}</span>}
            </td>
          </>
        )}
      </tr>
    );
  }
}

/** The cells of a narrow screen: a bar above a bar, the model's number and the final one. */
function PhoneCells({ row, context: { scale } }: { row: StageRow; context: RowContext }) {
  const { removed_by } = row;
  return (
    <>
      <td class="pair" aria-hidden="true">
        <Bar p={row.p} scale={scale} kind="model" />
        <Bar p={row.p_final} scale={scale} />
      </td>
      <td class="n" data-testid="cell" data-stage="model" data-p={row.p} data-cell tabIndex={-1}>
        {cellPercent(row.p)}
      </td>
      <td
        class={`n${removed_by === undefined ? ' last' : ' cut'}`}
        data-testid="cell"
        data-stage={removed_by ?? 'final'}
        data-p={row.p_final}
        data-cell
        tabIndex={-1}
      >
        {removed_by === undefined ? (
          cellPercent(row.p_final)
        ) : (
          <button type="button" class="plain" tabIndex={-1}>
            ✕ {stageWords[removed_by].inText}
          </button>
        )}
      </td>
    </>
  );
}

/** "27 more kept", "12 cut by top-p"; "12 more cut by top-p" when some of the rows in view were cut
 *  by the stage too. */
export function groupTitle(
  { removed_by, n }: Pick<StageGroup, 'removed_by' | 'n'>,
  rows: readonly StageRow[],
): string {
  if (removed_by === undefined) return `${count(n)} more kept`;
  const more = rows.some((row) => row.removed_by === removed_by) ? ' more' : '';
  return `${count(n)}${more} cut by ${stageWords[removed_by].inText}`;
}

/** "27 more kept · 12 more cut by min-p · 3,032 by top-k". */
export const groupTitles = (groups: readonly StageGroup[], rows: readonly StageRow[]): string =>
  groups
    .map((group, i) => {
      const title = groupTitle(group, rows);
      const repeats = i > 0 && groups[i - 1]!.removed_by !== undefined;
      return repeats ? title.replace('cut by', 'by') : title;
    })
    .join(' · ');

interface GroupRowProps {
  group: StageGroup;
  /** The rows in view. */
  rows: readonly StageRow[];
  context: RowContext;
}

/** A group: its numbers up to the stage that cut it, and the reason in that stage's column. */
export function GroupRow({ group, rows, context }: GroupRowProps) {
  const { table, columns, scale, phone, ask } = context;
  const cutAt = cutIndex(table, group);
  const { removed_by } = group;
  const stage = table.stages[cutAt];
  const reason = stage && cutReason(stage);
  const explainStage = () => ask({ stage: removed_by ?? 'final' });
  const shown = columns.filter((column) => columnIndex(table, column)! < cutAt);
  return (
    <tr
      class="group"
      data-testid="group"
      data-removed-by={removed_by}
      data-n={group.n}
      data-p={group.p}
      data-p_final={finalOf(group)}
      onClick={explainStage}
    >
      <th scope="row" colSpan={2}>
        {groupTitle(group, rows)}
        {phone && reason && <small>{reason}</small>}
      </th>
      {phone ? (
        <>
          <td class="n" data-testid="cell" data-stage="model" data-p={group.p}>
            {cellPercent(group.p)}
          </td>
          <td class="n" data-testid="cell" data-stage="final" data-p={finalOf(group)}>
            {cellPercent(finalOf(group))}
          </td>
        </>
      ) : (
        <>
          {shown.map((column) => {
            const p = probabilityAt(group, columnIndex(table, column)!);
            return (
              <td
                key={column}
                class={`column${column === 'model' ? ' model' : ''}${column === columns.at(-1) ? ' last' : ''}`}
                data-testid="cell"
                data-stage={column}
                data-p={p}
              >
                <Amount p={p} scale={scale} />
              </td>
            );
          })}
          {removed_by === undefined ? (
            <td class="end">{context.pinned && <b class="n">{cellPercent(finalOf(group))}</b>}</td>
          ) : (
            <td
              class="cut"
              colSpan={columns.length - shown.length + 1}
              data-testid="cell"
              data-stage={removed_by}
              data-p={0}
            >
              <span>✕ {reason}</span>
            </td>
          )}
        </>
      )}
    </tr>
  );
}

/** All groups in one row: their sums. */
export function FoldedGroups({
  sum,
  context: { table, columns, scale, pinned },
}: {
  sum: Pick<StageGroup, 'n' | 'p' | 'after'>;
  context: RowContext;
}) {
  return (
    <tr class="group" data-testid="groups-folded" data-p={sum.p}>
      <th scope="row" colSpan={2}>
        {count(sum.n)} other tokens
      </th>
      {columns.map((column) => {
        const p = probabilityAt(sum, columnIndex(table, column)!);
        return (
          <td key={column} class="column" data-testid="cell" data-stage={column} data-p={p}>
            <Amount p={p} scale={scale} />
          </td>
        );
      })}
      <td class="end">{pinned && <b class="n">{cellPercent(finalOf(sum))}</b>}</td>
    </tr>
  );
}
