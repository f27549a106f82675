/** The sheet with the keys. */
import { isPhone } from '../ui/media.js';
import { setSingleKeys, singleKeys } from './keys.js';

const KEYS: readonly [keys: string, what: string][] = [
  ['Space', 'run, pause'],
  ['S', 'next token; while you type: Ctrl+Enter'],
  ['Z, Y', 'undo, redo; while you type: Ctrl+Z, Ctrl+Y'],
  ['Shift+R', 'start again: back to the end of your text'],
  ['← →', 'what could have been the token before, after'],
  ['Escape', 'back to the end of the text; close a dialog'],
  ['↓ ↑', 'move to the tokens of the table, and between them'],
  ['Enter', 'continue with the token'],
  ['/', 'find any token'],
  ['?', 'this list'],
];

export function HelpSheet({ introduce }: { introduce: () => void }) {
  return (
    <div class="keys">
      {isPhone.value && (
        <p data-testid="touch">
          Tap a word of the table to continue with it, and the rest of its row for the reason. Tap a
          token of the text to see what else could have stood there. Tap a chip below the table to
          move its slider.
        </p>
      )}
      <table data-testid="keys">
        <tbody>
          {KEYS.map(([keys, what]) => (
            <tr key={keys}>
              <th scope="row">
                <kbd>{keys}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        The left and right arrows move a stage when its name has the focus. Arrow keys also move
        sliders and lists.
      </p>
      <label>
        <input
          type="checkbox"
          data-testid="single-keys"
          checked={singleKeys.value}
          onChange={({ currentTarget }) => setSingleKeys(currentTarget.checked)}
        />{' '}
        Use single-letter shortcuts
      </label>
      <p>
        <button type="button" data-testid="introduction-again" onClick={introduce}>
          Show the introduction again
        </button>
      </p>
    </div>
  );
}
