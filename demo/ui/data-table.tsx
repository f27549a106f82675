/** The numbers of a chart as a table that can be opened. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

/** For people who cannot see the chart, or want to copy its numbers. The rows exist only while the
 *  table is open: a long text has many. */
export function DataTable({ id, children }: { id: string; children: () => ComponentChildren }) {
  const open = useSignal(false);
  return (
    <details
      class="data-table"
      data-testid={id}
      onToggle={(event) => (open.value = event.currentTarget.open)}
    >
      <summary>Show as table</summary>
      {open.value && (
        <div class="scroll" tabIndex={0} role="group" aria-label="Table">
          {children()}
        </div>
      )}
    </details>
  );
}
