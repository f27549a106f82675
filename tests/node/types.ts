// What the types promise. The compiler is the test (npm run lint). The unions come from the
// engine's lists and must have neither missing nor additional members.
import type {
  GenerateOptions,
  SamplerOptions,
  Session,
  StageListName,
  StageLists,
  StageName,
  StageOptionName,
  StageTrace,
  Step,
  TracedStep,
} from '../../web/index.js';
import type OpenAI from 'openai';
import { stages } from '../../web/index.js';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatParams,
  Completion,
  CompletionChunk,
  CompletionParams,
} from '../../web/index.js';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(value: T): T => value;

// the names of the stages are a union, which holds llama.cpp's chain
holds<Equal<string extends StageName ? true : false, false>>(true);
type LlamaStages =
  | 'penalties'
  | 'dry'
  | 'top_n_sigma'
  | 'top_k'
  | 'typ_p'
  | 'top_p'
  | 'min_p'
  | 'xtc'
  | 'temperature';
holds<Equal<Extract<StageName, LlamaStages>, LlamaStages>>(true);

// The stages' options and lists are options of every generation. The only other options are the
// order of the stages and the seed.
holds<Equal<Exclude<keyof SamplerOptions, StageOptionName | StageListName>, 'samplers' | 'seed'>>(
  true,
);
holds<Equal<StageOptionName & keyof SamplerOptions, StageOptionName>>(true);
holds<Equal<keyof StageLists, StageListName>>(true);
holds<Equal<Required<SamplerOptions>[StageOptionName], number>>(true);
holds<Equal<StageTrace['name'], StageName>>(true);
holds<Equal<(typeof stages)[number]['options'][number]['name'], StageOptionName>>(true);
holds<Equal<(typeof stages)[number]['lists'][number], StageListName>>(true);

// a step has a trace unless the caller turned traces off
export const traced = (session: Session): AsyncGenerator<TracedStep> => session.generate('Once');
export const listed = (session: Session): AsyncGenerator<TracedStep> =>
  session.generate(undefined, { max_tokens: 1, trace: { top_n: 5 } });
export const untraced = (session: Session, options: GenerateOptions): AsyncGenerator<Step> =>
  session.generate('Once', { ...options, trace: false });
export const none = (session: Session): AsyncGenerator<TracedStep> =>
  // @ts-expect-error: this one has none
  session.generate('Once', { trace: false });

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

// the official client's types take what we make,
export const chat = (made: ChatCompletion): OpenAI.Chat.ChatCompletion => made;
export const chatChunk = (made: ChatCompletionChunk): OpenAI.Chat.ChatCompletionChunk => made;
export const completion = (made: Completion): OpenAI.Completion => made;

// and we take what it sends, as far as we support it
export const asked = (
  given: Pick<
    OpenAI.Chat.ChatCompletionCreateParams,
    'max_tokens' | 'temperature' | 'n' | 'seed' | 'top_logprobs'
  >,
) => {
  const { max_tokens = null, n, seed = null, temperature } = given;
  return {
    messages: [],
    max_tokens,
    seed,
    ...(n && { n }),
    ...(temperature && { temperature }),
  } satisfies ChatParams;
};
holds<Equal<CompletionChunk['object'], Completion['object']>>(true);
holds<'prompt' extends keyof CompletionParams ? true : false>(true);
