/** The numbers of a chart as a table that can be opened. */
import type { ComponentChildren } from 'preact';

/** A chart's numbers as a table, for those who do not see it or want to copy them. */
export function DataTable({ id, children }: { id: string; children: () => ComponentChildren }) {
  return (
    <details class="data-table" data-testid={id}>
      <summary>as a table</summary>
      <div class="scroll" tabIndex={0} role="group" aria-label="table">
        {children()}
      </div>
    </details>
  );
}
