/** The sampler's settings: the chain of stages, the seed and the output constraint. */
import { signal } from '@preact/signals';
import type { SamplerOptions, StageName, StageOptionName } from 'tokenglass';
import type { Chain } from './chain.js';
import { defaultChain, moveStage, optionsOf, switchStage, withValue } from './chain.js';
import { OutputConstraint } from './constraint.js';

const FIRST_SEED = 5;

export class Sampler {
  readonly chain = signal<Chain>(defaultChain);
  readonly seed = signal(FIRST_SEED);
  /** True: Reset keeps the seed. False: Reset picks a new seed. */
  readonly locked = signal(true);
  readonly constraint = new OutputConstraint();
  readonly #onChange: () => void;

  /** onChange is called after each change by one of the set methods. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The options without the output constraint. */
  options(): SamplerOptions {
    return { ...optionsOf(this.chain.value), seed: this.seed.value };
  }

  /** The options for the token after `tokens`, which are the tokens after the prompt. */
  async optionsAfter(tokens: readonly number[]): Promise<SamplerOptions> {
    const grammar = await this.constraint.maskAfter(tokens);
    return { ...this.options(), ...(grammar && { grammar }) };
  }

  set(name: StageOptionName, value: number): void {
    this.setChain(withValue(this.chain.value, name, value));
  }

  toggle(name: StageName, on: boolean): void {
    this.setChain(switchStage(this.chain.value, name, on));
  }

  move(name: StageName, index: number): void {
    this.setChain(moveStage(this.chain.value, name, index));
  }

  setChain(chain: Chain): void {
    this.chain.value = chain;
    this.#onChange();
  }

  setSeed(seed: number): void {
    this.seed.value = seed;
    this.#onChange();
  }
}
