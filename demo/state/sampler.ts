/** The sampler's settings: the chain of stages, the seed and the output format. Each change of the
 *  chain or the seed is a step of the undo history. */
import { computed } from '@preact/signals';
import type { SamplerOptions, StageName, StageOptionName } from 'tokenglass';
import type { Chain } from './chain.js';
import { defaultChain, moveStage, optionsOf, switchStage, withStage, withValue } from './chain.js';
import { OutputConstraint } from './constraint.js';
import type { History } from './history.js';

/** Options of one choice. */
export type ChoiceOptions = SamplerOptions & { sample_index: number };

export class Sampler {
  readonly chain = computed<Chain>(() => this.#history.now.value.chain);
  readonly seed = computed(() => this.#history.now.value.seed);
  readonly constraint = new OutputConstraint();
  readonly #history: History;
  readonly #onChange: () => void;

  /** onChange is called after each change by one of the methods below. */
  constructor(history: History, onChange: () => void) {
    this.#history = history;
    this.#onChange = onChange;
  }

  /** The options without the output format. window: the number of the window, which gets random
   *  numbers of its own. */
  options(window = 0): ChoiceOptions {
    return { ...optionsOf(this.chain.value), seed: this.seed.value, sample_index: window };
  }

  /** The options for the token after `output`, the tokens after the last typed one. */
  async optionsAfter(output: readonly number[], window: number): Promise<ChoiceOptions> {
    const grammar = await this.constraint.maskAfter(output);
    return { ...this.options(window), ...(grammar && { grammar }) };
  }

  set(name: StageOptionName, value: number): void {
    this.setChain(withValue(this.chain.value, name, value), `set ${name}`);
  }

  /** Switches a stage on. When the stage would do nothing, it gets a useful value. */
  add(name: StageName): void {
    this.setChain(withStage(this.chain.value, name));
  }

  remove(name: StageName): void {
    this.setChain(switchStage(this.chain.value, name, false));
  }

  move(name: StageName, index: number): void {
    this.setChain(moveStage(this.chain.value, name, index));
  }

  /** Sets the chain of a page that has just been opened. */
  defaults(): void {
    this.setChain(defaultChain);
  }

  /** kind: changes of one kind in a row are one step of the history. */
  setChain(chain: Chain, kind = ''): void {
    this.#history.add({ chain }, kind);
    this.#onChange();
  }

  setSeed(seed: number): void {
    this.#history.add({ seed }, 'seed');
    this.#onChange();
  }

  /** A random seed. It is shown and can be shared, so it need not be reproducible itself. */
  newSeed(): void {
    this.#history.add({ seed: Math.floor(Math.random() * 2 ** 32) });
    this.#onChange();
  }
}
