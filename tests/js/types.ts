/** What the types promise: the compiler is the test (npm run lint). The unions come from the engine's lists, and nothing is left out or made up. */
import type { SamplerOptions, Session, StageListName, StageName, StageOptionName, StageTrace, Step } from '../../web/index.js';
import type { StageLists } from '../../web/types.js';
import { stages } from '../../web/index.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(value: T): T => value;

// every stage of llama.cpp's chain, and ours, by name
holds<
  Equal<
    StageName,
    | 'logit_bias'
    | 'allowed_tokens'
    | 'banned_tokens'
    | 'penalties'
    | 'dry'
    | 'top_n_sigma'
    | 'top_k'
    | 'typ_p'
    | 'top_p'
    | 'min_p'
    | 'xtc'
    | 'temperature'
    | 'mirostat'
  >
>(true);

// the options of the stages and their lists are options of every generation, and the only ones besides order and seed
holds<Equal<Exclude<keyof SamplerOptions, StageOptionName | StageListName>, 'samplers' | 'seed'>>(true);
holds<Equal<StageOptionName & keyof SamplerOptions, StageOptionName>>(true);
holds<Equal<keyof StageLists, StageListName>>(true);
holds<Equal<Required<SamplerOptions>[StageOptionName], number>>(true);
holds<Equal<StageTrace['name'], StageName>>(true);
holds<Equal<(typeof stages)[number]['options'][number]['name'], StageOptionName>>(true);
holds<Equal<(typeof stages)[number]['lists'][number], StageListName>>(true);

export function wrong(session: Session): AsyncGenerator<Step> {
  // @ts-expect-error: no such option
  void session.candidates({ temprature: 1 });
  // @ts-expect-error: no such stage
  void session.candidates({ samplers: ['top_q'] });
  // @ts-expect-error: an option that is a number
  void session.candidates({ top_k: '40' });
  return session.generate('Once', {
    samplers: ['penalties', 'temperature'],
    logit_bias: { 5: -1 },
    mirostat: 0,
    overflow: 'shift',
  });
}
