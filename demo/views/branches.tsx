/** The panel of branches: a map of the tree of texts, and the branches as a list of buttons. */
import type { Store } from '../state/store.js';
import type { Segment, Tree, TreeNode } from '../state/tree.js';
import { pathTo, segments, tipThrough } from '../state/tree.js';
import { isControl, name } from '../format.js';
import { Button } from '../ui/button.js';
import { isPhone } from '../ui/media.js';
import { useWidth } from '../ui/use-width.js';

// pixels
const FIRST_WIDTH = 280; // until the width is measured
const ROW_HEIGHT = 24;
const PHONE_ROW_HEIGHT = 44; // for a finger
const TARGET_WIDTH = 24; // of a knot: more than its circle
const LABEL_WIDTH = 150;
const EDGE = TARGET_WIDTH / 2; // room for the first knot
const BEND = 22; // width of the curve in which a branch leaves another

const LABEL_CHARS = 20;

const textOf = (nodes: readonly TreeNode[]) =>
  nodes
    .filter((node) => !isControl(node))
    .map(({ bytes, text }) => name({ bytes, text }))
    .join('')
    .replaceAll('␣', ' ');

/** How a branch begins and ends, in whole words where that is possible. */
export function shortened(text: string, length = LABEL_CHARS): string {
  const all = text.trim();
  if (all.length <= length) return all;
  const half = (length - 3) / 2;
  const from = all.slice(0, half).replace(/(?<=\S)\s+\S*$/, '');
  const to = all.slice(-half).replace(/^\S*\s+(?=\S)/, '');
  return `${from} … ${to}`;
}

const bits = (node: TreeNode) => (-node.joint / Math.LN2).toFixed(1);
const summary = (node: TreeNode) =>
  `${node.depth} ${node.depth === 1 ? 'token' : 'tokens'}, ${bits(node)} bits`;

/** The tree without texts that were only typed: the map shows what a model wrote, and the branch on
 *  the page. The list has all branches. */
function written(tree: Tree): Tree {
  const shown = tree.current && tipThrough(tree, tree.current);
  return { ...tree, tips: tree.tips.filter((tip) => tip.how !== 'typed' || tip === shown) };
}

/** A segment with its place: x counts tokens, y counts rows. */
interface Place {
  segment: Segment;
  end: TreeNode | undefined;
  x: number;
  y: number;
  parent: Place | undefined;
}

/** Each branch has a row. A fork is in the middle of its branches. */
function layOut(root: Segment): { places: Place[]; n_rows: number } {
  const places: Place[] = [];
  let n_rows = 0;
  const visit = (segment: Segment, parent: Place | undefined): Place => {
    const end = segment.nodes.at(-1) ?? parent?.end;
    const place: Place = { segment, end, x: end?.depth ?? 0, y: 0, parent };
    places.push(place);
    const children = segment.children.map((child) => visit(child, place));
    place.y = children.length ? (children[0]!.y + children.at(-1)!.y) / 2 : n_rows++;
    return place;
  };
  visit(root, undefined);
  return { places, n_rows };
}

const titleOf = ({ segment, end }: Place) =>
  end ? `${textOf(segment.nodes)} (${summary(end)})` : 'the beginning of the text';

function BranchMap({ store, tree }: { store: Store; tree: Tree }) {
  const { element, width } = useWidth<HTMLDivElement>(FIRST_WIDTH);
  const shown = new Set(pathTo(tree.current));
  const { places, n_rows } = layOut(segments(written(tree)));
  const n_tokens = Math.max(1, ...places.map(({ x }) => x));
  const scale = Math.max(40, width - LABEL_WIDTH - 2 * EDGE) / n_tokens;
  const x = (place: Place) => EDGE + place.x * scale;
  const rowHeight = isPhone.value ? PHONE_ROW_HEIGHT : ROW_HEIGHT;
  const y = (place: Place) => (place.y + 0.5) * rowHeight;
  const height = n_rows * rowHeight;
  const isShown = ({ segment: { nodes } }: Place) => nodes.every((node) => shown.has(node));
  return (
    <div class="scroll" ref={element} tabIndex={0} role="group" aria-label="Map of the branches">
      <svg
        class="map"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${n_rows} ${n_rows === 1 ? 'branch' : 'branches'}; the list below has a button for each`}
      >
        {places.map((place) => {
          const { parent } = place;
          if (!parent) return null;
          const [x0, y0, x1, y1] = [x(parent), y(parent), x(place), y(place)];
          const bend = Math.min(BEND, x1 - x0);
          const middle = x0 + bend / 2;
          return (
            <path
              key={place.end?.depth + ' ' + place.y}
              class={isShown(place) ? 'on' : ''}
              d={`M${x0} ${y0}C${middle} ${y0} ${middle} ${y1} ${x0 + bend} ${y1}H${x1}`}
            />
          );
        })}
        {/* below all circles, so that a target of one knot does not cover the circle of another */}
        {places.map((place) => (
          <rect
            key={`target ${place.end?.depth} ${place.y}`}
            class="knot-target"
            data-testid="knot-target"
            data-depth={place.end?.depth ?? 0}
            x={x(place) - TARGET_WIDTH / 2}
            y={y(place) - rowHeight / 2}
            width={TARGET_WIDTH}
            height={rowHeight}
            onClick={() => void store.runner.goTo(place.end)}
          >
            <title>{titleOf(place)}</title>
          </rect>
        ))}
        {places.map((place) => {
          const { segment, end } = place;
          const isLeaf = segment.children.length === 0;
          return (
            <g
              key={`${end?.depth} ${place.y}`}
              class={`knot${end === tree.current ? ' current' : ''}${isShown(place) ? ' on' : ''}`}
              transform={`translate(${x(place)} ${y(place)})`}
              data-testid="knot"
              data-depth={end?.depth ?? 0}
              onClick={() => void store.runner.goTo(end)}
            >
              <circle r={4.5} />
              <title>{titleOf(place)}</title>
              {isLeaf && end && (
                <text x={9} y={4}>
                  {shortened(textOf(segment.nodes))}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function List({ store, tree }: { store: Store; tree: Tree }) {
  return (
    <details class="data-table" data-testid="branches-list">
      <summary>Show as list</summary>
      <ol class="branches">
        {tree.tips.map((tip) => (
          <li key={tip}>
            <Button id="branch" pressed={tip === tree.current} press={() => store.runner.goTo(tip)}>
              <span>{shortened(textOf(pathTo(tip)), 60)}</span> <small>{summary(tip)}</small>
            </Button>
          </li>
        ))}
      </ol>
    </details>
  );
}

export function BranchesPanel({ store }: { store: Store }) {
  const tree = store.document.tree.value;
  const others = tree.tips.length > 1 || tree.tips[0] !== tree.current;
  return (
    <section class="branches-panel" aria-labelledby="branches-title" data-testid="branches">
      <h2 id="branches-title">
        Branches <small>the bold one is on screen</small>
      </h2>
      {tree.tips.length > 0 && <BranchMap store={store} tree={tree} />}
      {!others && <p class="explanation">Every branch you try is kept here.</p>}
      {others && (
        <div class="line">
          <List store={store} tree={tree} />
          <Button id="prune" press={() => store.document.prune()}>
            Delete the other branches
          </Button>
        </div>
      )}
    </section>
  );
}
