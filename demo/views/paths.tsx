/** The tree of texts: in, the store; out, a map of all paths with their joint probability, and the same as a list of buttons. */
import { hierarchy, tree as tidy } from 'd3-hierarchy';
import { linkHorizontal } from 'd3-shape';
import type { Store } from '../state/store.js';
import type { Node, Stretch, Tree } from '../state/tree.js';
import { pathTo, stretches } from '../state/tree.js';
import { name } from '../format.js';
import { Button } from '../ui/button.js';
import { useWidth } from '../ui/use-width.js';

const [WIDTH, ROW, LABEL, LEAST] = [560, 26, 250, 330]; // the width until it is known
const MOST_LABEL = 22; // characters

const textOf = (nodes: readonly Node[]) =>
  nodes.map(({ bytes, text }) => name({ bytes, text })).join('');
const short = (text: string) =>
  text.length > MOST_LABEL ? `…${text.slice(1 - MOST_LABEL)}` : text;
const bits = (node: Node) => (-node.joint / Math.LN2).toFixed(1);

interface Link {
  source: { x: number; y: number };
  target: { x: number; y: number };
}

/** A map of stretches, from left to right; lines are the thicker the more probable a path is by token. */
function Map({ store, tree }: { store: Store; tree: Tree }) {
  const { element, width } = useWidth<HTMLDivElement>(WIDTH);
  const wide = Math.max(LEAST, width);
  const shown = new Set(pathTo(tree.at));
  const root = hierarchy<Stretch>(stretches(tree), ({ children }) => children);
  const leaves = root.leaves().length;
  const height = Math.max(44, leaves * ROW + 12);
  const laid = tidy<Stretch>()
    .size([height - ROW, wide - LABEL])
    .separation(() => 1)(root);
  const curve = linkHorizontal<Link, { x: number; y: number }>()
    .x(({ y }) => y + 6)
    .y(({ x }) => x + ROW / 2);
  const thick = ({ nodes }: Stretch) => {
    const last = nodes.at(-1)!;
    return 1.2 + 6 * Math.exp(last.joint / last.depth); // the geometric mean of its tokens' probabilities
  };
  return (
    <div class="scroll" ref={element} tabIndex={0} role="group" aria-label="map of the paths">
      <svg
        class="map"
        width={wide}
        height={height}
        viewBox={`0 0 ${wide} ${height}`}
        role="img"
        aria-label={`${leaves} paths; the list below has them as buttons`}
      >
        {laid.links().map(({ source, target }) => (
          <path
            key={`${target.data.nodes.at(-1)?.depth} ${target.x}`}
            class={target.data.nodes.every((node) => shown.has(node)) ? 'on' : ''}
            d={curve({ source, target }) ?? ''}
            stroke-width={thick(target.data)}
          />
        ))}
        {laid.descendants().map(({ x, y, data }) => {
          const last = data.nodes.at(-1);
          const leaf = data.children.length === 0;
          const text = last && leaf ? `${short(textOf(data.nodes))}  ${bits(last)} bits` : '';
          return (
            <g
              key={`${last?.depth} ${x}`}
              class={`knot${last === tree.at ? ' here' : ''}${!last || shown.has(last) ? ' on' : ''}`}
              transform={`translate(${y + 6} ${x + ROW / 2})`}
              data-testid="knot"
              data-depth={last?.depth ?? 0}
              onClick={() => void store.goTo(last)}
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

export function Paths({ store }: { store: Store }) {
  const tree = store.tree.value;
  const order = tree.tips.toSorted((a, b) => b.joint / b.depth - a.joint / a.depth);
  return (
    <section class="paths-panel" aria-labelledby="paths-title">
      <h2 id="paths-title">
        Paths <small>joint probability, as bits; the bold one is shown</small>
      </h2>
      {tree.tips.length === 0 ? (
        <p class="note">
          Every token that is taken grows a path; take another candidate, and a second one begins
          there.
        </p>
      ) : (
        <>
          <Map store={store} tree={tree} />
          <details class="twin">
            <summary>as a list</summary>
            <ol class="paths" data-testid="paths">
              {order.map((tip) => (
                <li
                  key={pathTo(tip)
                    .map(({ token }) => token)
                    .join(' ')}
                >
                  <Button id="path" pressed={tip === tree.at} press={() => store.goTo(tip)}>
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
          {(tree.tips.length > 1 || tree.tips[0] !== tree.at) && (
            <Button id="prune" press={() => store.prune()}>
              Keep only the shown path
            </Button>
          )}
        </>
      )}
    </section>
  );
}
