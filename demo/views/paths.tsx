/** The panel of paths: a map of the tree with the joint probability of each path, and the same
 *  paths as a list of buttons. */
import { hierarchy, tree as tidyTree } from 'd3-hierarchy';
import { linkHorizontal } from 'd3-shape';
import type { Store } from '../state/store.js';
import type { Segment, Tree, TreeNode } from '../state/tree.js';
import { pathTo, segments } from '../state/tree.js';
import { name } from '../format.js';
import { Button } from '../ui/button.js';
import { useWidth } from '../ui/use-width.js';

// pixels
const FIRST_WIDTH = 560; // until the width is measured
const MIN_WIDTH = 330;
const ROW_HEIGHT = 26;
const LABEL_WIDTH = 250;

const MAX_LABEL_CHARS = 22;

const textOf = (nodes: readonly TreeNode[]) =>
  nodes.map(({ bytes, text }) => name({ bytes, text })).join('');
const short = (text: string) =>
  text.length > MAX_LABEL_CHARS ? `…${text.slice(1 - MAX_LABEL_CHARS)}` : text;
const bits = (node: TreeNode) => (-node.joint / Math.LN2).toFixed(1);

interface Link {
  source: { x: number; y: number };
  target: { x: number; y: number };
}

/** The map of segments, from left to right. The more probable the tokens of a path, the thicker its
 *  line. */
function PathMap({ store, tree }: { store: Store; tree: Tree }) {
  const { element, width } = useWidth<HTMLDivElement>(FIRST_WIDTH);
  const mapWidth = Math.max(MIN_WIDTH, width);
  const shown = new Set(pathTo(tree.current));
  const root = hierarchy<Segment>(segments(tree), ({ children }) => children);
  const leaves = root.leaves().length;
  const height = Math.max(44, leaves * ROW_HEIGHT + 12);
  const layout = tidyTree<Segment>()
    .size([height - ROW_HEIGHT, mapWidth - LABEL_WIDTH])
    .separation(() => 1)(root);
  const curve = linkHorizontal<Link, { x: number; y: number }>()
    .x(({ y }) => y + 6)
    .y(({ x }) => x + ROW_HEIGHT / 2);
  const thickness = ({ nodes }: Segment) => {
    const last = nodes.at(-1)!;
    const meanProbability = Math.exp(last.joint / last.depth); // geometric mean of the tokens
    return 1.2 + 6 * meanProbability;
  };
  return (
    <div class="scroll" ref={element} tabIndex={0} role="group" aria-label="map of the paths">
      <svg
        class="map"
        width={mapWidth}
        height={height}
        viewBox={`0 0 ${mapWidth} ${height}`}
        role="img"
        aria-label={`${leaves} paths; the list below has a button for each`}
      >
        {layout.links().map(({ source, target }) => (
          <path
            key={`${target.data.nodes.at(-1)?.depth} ${target.x}`}
            class={target.data.nodes.every((node) => shown.has(node)) ? 'on' : ''}
            d={curve({ source, target }) ?? ''}
            stroke-width={thickness(target.data)}
          />
        ))}
        {layout.descendants().map(({ x, y, data }) => {
          const last = data.nodes.at(-1);
          const leaf = data.children.length === 0;
          const text = last && leaf ? `${short(textOf(data.nodes))}  ${bits(last)} bits` : '';
          return (
            <g
              key={`${last?.depth} ${x}`}
              class={`knot${last === tree.current ? ' current' : ''}${!last || shown.has(last) ? ' on' : ''}`}
              transform={`translate(${y + 6} ${x + ROW_HEIGHT / 2})`}
              data-testid="knot"
              data-depth={last?.depth ?? 0}
              onClick={() => void store.document.goTo(last)}
            >
              <circle r={4.5} />
              <title>
                {last
                  ? `${textOf(data.nodes)}, ${bits(last)} bits from the prompt`
                  : 'the end of the prompt'}
              </title>
              <text x={9} y={4}>
                {text}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

export function PathsPanel({ store }: { store: Store }) {
  const tree = store.document.tree.value;
  const order = tree.tips.toSorted((a, b) => b.joint / b.depth - a.joint / a.depth);
  return (
    <section class="paths-panel" aria-labelledby="paths-title">
      <h2 id="paths-title">
        Paths <small>joint probability, in bits; the bold path is on the page</small>
      </h2>
      {tree.tips.length === 0 ? (
        <p class="note">
          Each new token makes a path longer. Take another candidate, and a second path starts
          there.
        </p>
      ) : (
        <>
          <PathMap store={store} tree={tree} />
          <details class="data-table">
            <summary>as a list</summary>
            <ol class="paths" data-testid="paths">
              {order.map((tip) => (
                <li
                  key={pathTo(tip)
                    .map(({ token }) => token)
                    .join(' ')}
                >
                  <Button
                    id="path"
                    pressed={tip === tree.current}
                    press={() => store.document.goTo(tip)}
                  >
                    <span class="piece">{short(textOf(pathTo(tip)))}</span>{' '}
                    <small>
                      {tip.depth} tokens, {bits(tip)} bits,{' '}
                      {(Math.exp(tip.joint / tip.depth) * 100).toFixed(1)} % a token
                    </small>
                  </Button>
                </li>
              ))}
            </ol>
          </details>
          {(tree.tips.length > 1 || tree.tips[0] !== tree.current) && (
            <Button id="prune" press={() => store.document.prune()}>
              Keep only this path
            </Button>
          )}
        </>
      )}
    </section>
  );
}
