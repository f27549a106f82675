/** The panel of one choice: one row a token, one column a stage. */
import type { Store } from '../state/store.js';
import { name, percent } from '../format.js';

export function Ledger({ store }: { store: Store }) {
  const table = store.inspector.table.value;
  if (!table) return <section class="choice-panel" aria-busy="true" />;
  return (
    <section class="choice-panel">
      <table>
        <tbody>
          {table.rows.map((row) => (
            <tr
              key={row.token}
              data-testid="candidate"
              data-token={row.token}
              data-p={row.p}
              data-p_final={row.p_final}
              class={row.token === table.draw.token ? 'next' : ''}
            >
              <th scope="row">
                <button type="button" onClick={() => void store.runner.branch(row.token)}>
                  {name(row)}
                </button>
              </th>
              <td>{percent(row.p)}</td>
              {row.after.map((p, i) => (
                <td key={i}>{percent(p)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
