/** The coloured tokens of the text. Marks are drawn by CSS and take no room, so that the characters
 *  are exactly where those of the editor above are, and the user copies only the text. */
import { Component } from 'preact';
import type { DisplayToken, Measure } from '../../state/display-tokens.js';
import { levelOf } from '../../state/display-tokens.js';
import { isControl } from '../../format.js';
import type { Cell } from './cells.js';
import { cellsOf, isPart } from './cells.js';
import { describe } from './describe.js';

// CSS classes of white space
const SPACE_CLASSES: Readonly<Record<string, string>> = { ' ': 'space', '\n': 'line', '\t': 'tab' };
// a letter of a script that is written from right to left
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/** Whether a text has letters that are written from right to left. */
export const isRightToLeft = (text: string): boolean => RIGHT_TO_LEFT.test(text);

/** A space at the beginning, whose mark the token's own box draws: most tokens need no element for
 *  it. */
const leadsWithSpace = (text: string): boolean =>
  text.length > 1 && text.startsWith(' ') && !isRightToLeft(text);

/** A text with marks on its white space. */
function marked(text: string) {
  const lead = leadsWithSpace(text) ? ' ' : '';
  const parts = text
    .slice(lead.length)
    .split(/([ \n\t])/)
    .filter(Boolean);
  if (parts.length === 1 && !SPACE_CLASSES[parts[0]!]) return text;
  return [
    lead,
    ...parts.map((part, i) =>
      SPACE_CLASSES[part] ? (
        <span key={i} class={SPACE_CLASSES[part]}>
          {part}
        </span>
      ) : (
        part
      ),
    ),
  ];
}

interface CellProps {
  cell: Cell;
  measure: Measure;
  /** Index of the selected token. */
  selected: number | undefined;
  forks: ReadonlyMap<unknown, number>;
  /** Whether the tokens are buttons: there is no editor above them. */
  buttons: boolean;
  /** Whether Tab reaches the cell, when it is a button. */
  reachable: boolean;
  /** Whether the space at the beginning is at the end of a line, and the rest on the next. */
  isBroken: boolean;
  /** Takes the element of a cell that begins with a space. */
  keep: (index: number) => (box: HTMLElement | null) => void;
}

/** What identifies a token for scripts and tests. */
const dataOf = (token: DisplayToken, measure: Measure) => ({
  'data-index': token.index,
  'data-level': levelOf(measure, token),
  ...(token.how === 'typed' ? { 'data-prompt-id': token.token } : { 'data-id': token.token }),
});

const buttonProps = (description: string, selected: boolean, reachable: boolean) => ({
  role: 'button' as const,
  'aria-pressed': selected,
  'aria-label': description,
  title: description,
  tabIndex: selected || reachable ? 0 : -1,
  'data-roving': true,
});

/** A token whose characters the last token of its cell completes. It has no width. */
function PartOfCell({ token, measure }: { token: DisplayToken; measure: Measure }) {
  return <span class={`token ${token.how}`} {...dataOf(token, measure)} />;
}

/** The tokens of a cell. The last one has the characters, and a tick for each token. An element
 *  inside would keep the browser from joining letters and emojis. */
function CellBox({
  cell,
  measure,
  selected,
  forks,
  buttons,
  reachable,
  isBroken,
  keep,
}: CellProps) {
  const token = cell.at(-1)!;
  const parts = cell.slice(0, -1);
  const text = cell.map((each) => each.text).join('');
  const at = cell.findIndex(({ index }) => index === selected);
  const n_branches = Math.max(...cell.map(({ node }) => forks.get(node) ?? 1));
  const leads = leadsWithSpace(text);
  const level = `level-${levelOf(measure, token) ?? 'none'}`;
  const classes = [
    'token',
    isBroken ? 'broken' : level,
    token.how,
    isControl(token) && 'special',
    isPart(token) && 'part',
    leads && 'lead',
    parts.length > 0 && (isRightToLeft(text) ? 'shared from-right' : 'shared'),
    n_branches > 1 && 'forked',
    at >= 0 && 'selected',
  ];
  return (
    <>
      {parts.map((part) => (
        <PartOfCell key={part.index} token={part} measure={measure} />
      ))}
      <span
        ref={leads ? keep(token.index) : null}
        class={classes.filter(Boolean).join(' ')}
        style={parts.length > 0 ? { '--n': cell.length, '--at': at } : undefined}
        data-n={parts.length > 0 ? cell.length : undefined}
        data-piece={isControl(token) ? (token.node.eog ? 'end' : token.piece) : undefined}
        {...dataOf(token, measure)}
        {...(buttons && buttonProps(describe(token, n_branches), at >= 0, reachable))}
      >
        {isBroken ? [' ', <b class={level}>{marked(text.slice(1))}</b>] : marked(text)}
      </span>
    </>
  );
}

/** Index of the token whose tick is at a point of a cell, or of the cell's token. */
export function indexIn(element: HTMLElement, clientX: number): number {
  const index = Number(element.dataset['index']);
  const n = Number(element.dataset['n'] ?? 1);
  const { left, right, width } = element.getBoundingClientRect();
  const share = element.classList.contains('from-right') ? right - clientX : clientX - left;
  const tick = Math.max(0, Math.min(n - 1, Math.floor((share / width) * n)));
  return index - (n - 1) + tick;
}

interface ChunkProps extends Omit<CellProps, 'cell' | 'reachable' | 'isBroken' | 'keep'> {
  tokens: readonly DisplayToken[];
  /** Index of the last token of the text, which Tab reaches. */
  last: number | undefined;
  /** Width of the text in pixels. */
  width: number;
}

interface ChunkState {
  /** Indices of the tokens whose space is at the end of a line. */
  broken: ReadonlySet<number>;
}

const SPACE_WIDTH = 14; // pixels: more than that of a space, less than that of two characters

const NONE: ReadonlySet<number> = new Set();

/** Some 64 tokens, which are drawn again only when they change. */
export class Chunk extends Component<ChunkProps, ChunkState> {
  override state: ChunkState = { broken: NONE };
  readonly #boxes = new Map<number, HTMLElement>();

  override shouldComponentUpdate(next: ChunkProps, state: ChunkState): boolean {
    const now = this.props;
    return (
      state.broken !== this.state.broken ||
      now.measure !== next.measure ||
      now.selected !== next.selected ||
      now.buttons !== next.buttons ||
      now.last !== next.last ||
      now.width !== next.width ||
      now.tokens.length !== next.tokens.length ||
      now.tokens.some(
        (token, i) =>
          token !== next.tokens[i] || now.forks.get(token.node) !== next.forks.get(token.node),
      )
    );
  }

  override componentDidMount(): void {
    this.#findBroken();
  }

  override componentDidUpdate(): void {
    this.#findBroken();
  }

  /** The box of a token must not begin with a space at the end of the line before. */
  #findBroken(): void {
    const broken = new Set<number>();
    for (const [index, box] of this.#boxes) {
      const [first, second] = box.getClientRects();
      if (second && first!.width < SPACE_WIDTH) broken.add(index);
    }
    const before = this.state.broken;
    const isSame = broken.size === before.size && [...broken].every((index) => before.has(index));
    if (!isSame) this.setState({ broken });
  }

  /** Keeps the element of a cell that begins with a space. */
  readonly #keep = (index: number) => (box: HTMLElement | null) => {
    if (box) this.#boxes.set(index, box);
    else this.#boxes.delete(index);
  };

  override render({ tokens, last, ...props }: ChunkProps, { broken }: ChunkState) {
    return cellsOf(tokens).map((cell) => {
      const { index } = cell.at(-1)!;
      return (
        <CellBox
          key={cell[0]!.index}
          cell={cell}
          reachable={index === last}
          isBroken={broken.has(index)}
          keep={this.#keep}
          {...props}
        />
      );
    });
  }
}
