/** Chains for a purpose, each with all its values. */
import type { StageName } from 'tokenglass';
import type { Chain, Values } from './chain.js';
import { withStage, defaultChain, moveStage, settingsOf, stagesOn } from './chain.js';

export type PresetName =
  'default' | 'model' | 'greedy' | 'focused' | 'nucleus' | 'creative' | 'no-loops' | 'mirostat';

export interface Preset {
  readonly name: PresetName;
  readonly title: string;
  /** The stages and their values in words. */
  readonly says: string;
  readonly chain: Chain;
}

/** The chain of these stages only, in this order. Options that are not named get the defaults, or
 *  values with an effect where the defaults have none. */
function chainOf(order: readonly StageName[], values: Values = {}): Chain {
  const off = defaultChain.stages.map(({ name }) => ({ name, on: false }));
  let chain: Chain = {
    ...defaultChain,
    stages: off,
    values: { ...defaultChain.values, ...values },
  };
  for (const [index, name] of order.entries())
    chain = moveStage(withStage(chain, name), name, index);
  return chain;
}

export const presets: readonly Preset[] = [
  {
    name: 'default',
    title: 'Default',
    says: "llama.cpp's: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8",
    chain: defaultChain,
  },
  {
    name: 'model',
    title: 'Model as it is',
    says: "no stages: the model's own probabilities",
    chain: chainOf([]),
  },
  {
    name: 'greedy',
    title: 'Greedy',
    says: 'temperature 0: always the most probable token',
    chain: chainOf(['temperature'], { temperature: 0 }),
  },
  {
    name: 'focused',
    title: 'Focused',
    says: 'top-p 0.9, temperature 0.4',
    chain: chainOf(['top_p', 'temperature'], { top_p: 0.9, temperature: 0.4 }),
  },
  {
    name: 'nucleus',
    title: 'Nucleus',
    says: 'top-p 0.95 alone',
    chain: chainOf(['top_p']),
  },
  {
    name: 'creative',
    title: 'Creative',
    says: 'min-p 0.1, temperature 1.5',
    chain: chainOf(['min_p', 'temperature'], { min_p: 0.1, temperature: 1.5 }),
  },
  {
    name: 'no-loops',
    title: 'Against loops',
    says: 'DRY 0.8, XTC 0.5 from 10 %, min-p 0.02',
    chain: chainOf(['dry', 'min_p', 'xtc'], { min_p: 0.02 }),
  },
  {
    name: 'mirostat',
    title: 'Steady surprise',
    says: 'mirostat 2 at 3 bits',
    chain: chainOf(['mirostat']),
  },
];

export const presetChain = (name: PresetName): Chain =>
  presets.find((preset) => preset.name === name)!.chain;

/** The preset that a chain is; undefined for settings of the user's own. Values of stages that are
 *  off do not count. */
export function presetOf(chain: Chain): PresetName | undefined {
  const order = stagesOn(chain);
  return presets.find((preset) => {
    const presetOrder = stagesOn(preset.chain);
    return (
      order.length === presetOrder.length &&
      order.every(
        (stage, i) =>
          stage === presetOrder[i] &&
          settingsOf(stage).every(({ name }) => chain.values[name] === preset.chain.values[name]),
      )
    );
  })?.name;
}
