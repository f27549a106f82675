/** The numbers of a chart as a table that can be opened. */
import type { ComponentChildren } from 'preact';

/** For people who cannot see the chart, or want to copy its numbers. */
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
