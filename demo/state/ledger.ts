/** The numbers of the ledger: probabilities by column, the shared scale of the bars, and the groups
 *  of tokens that have no row. All functions are pure. */
import type { StageGroup, StageName, StageRow, StageTable } from 'tokenglass';

/** A column: what the model says, or the probabilities after a stage. */
export type Column = StageName | 'model';

/** The index of a column in `after`; -1 for the model's own probabilities. undefined for a stage
 *  that did not run, for example one that was added a moment ago. */
export function columnIndex(table: StageTable, column: Column): number | undefined {
  if (column === 'model') return -1;
  const index = table.stages.findIndex(({ name }) => name === column);
  return index < 0 ? undefined : index;
}

/** The probability of a row or group in the column with an index. */
export const probabilityAt = (
  entry: Pick<StageRow | StageGroup, 'p' | 'after'>,
  index: number,
): number => (index < 0 ? entry.p : entry.after[index]!);

/** The probability of a row or group after the last stage. */
export const finalOf = (entry: Pick<StageRow | StageGroup, 'p' | 'after'>): number =>
  entry.after.at(-1) ?? entry.p;

/** The index of the stage that removed a row or a group; Infinity when all stages kept it. */
export function cutIndex(
  table: StageTable,
  { removed_by }: Pick<StageRow | StageGroup, 'removed_by'>,
): number {
  if (removed_by === undefined) return Infinity;
  return table.stages.findIndex(({ name }) => name === removed_by);
}

/** The probability whose bar fills a column: three times the model's highest one. The scale depends
 *  on the model only, so that a slider moves the bars of its own column and of those after it. */
export const scaleOf = ({ rows }: StageTable): number =>
  Math.min(1, 3 * Math.max(...rows.map(({ p }) => p), Number.MIN_VALUE));

export const bitsOf = (nats: number): number => Math.max(0, nats) / Math.LN2;

/** The number of equally probable tokens that are as uncertain as this. */
export const equalChoices = (nats: number): number =>
  Math.max(1, Math.round(Math.exp(Math.max(0, nats))));

/** Rows in groups: each row joins the group of its fate. */
export function withRows(
  table: StageTable,
  groups: readonly StageGroup[],
  rows: readonly StageRow[],
): StageGroup[] {
  const result = new Map<StageName | undefined, StageGroup>();
  const add = (removed_by: StageName | undefined, n: number, p: number, after: number[]) => {
    const group = result.get(removed_by);
    result.set(removed_by, {
      removed_by,
      n: (group?.n ?? 0) + n,
      p: (group?.p ?? 0) + p,
      after: after.map((x, i) => x + (group?.after[i] ?? 0)),
    });
  };
  for (const { removed_by, n, p, after } of groups) add(removed_by, n, p, after);
  for (const { removed_by, p, after } of rows) add(removed_by, 1, p, after);
  return [...result.values()].toSorted((a, b) => cutIndex(table, a) - cutIndex(table, b));
}

/** The groups from those that came farthest to those that were cut first. */
export const groupsInView = (table: StageTable): readonly StageGroup[] =>
  table.groups.toSorted((a, b) => cutIndex(table, b) - cutIndex(table, a));

/** All groups as one. */
export const together = (groups: readonly StageGroup[]): Pick<StageGroup, 'n' | 'p' | 'after'> => ({
  n: groups.reduce((sum, { n }) => sum + n, 0),
  p: groups.reduce((sum, { p }) => sum + p, 0),
  after: (groups[0]?.after ?? []).map((_, i) =>
    groups.reduce((sum, { after }) => sum + after[i]!, 0),
  ),
});
