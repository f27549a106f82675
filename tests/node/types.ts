// What the types promise. The compiler is the test (npm run lint). The unions come from the
// engine's lists and must have neither missing nor additional members.
import type {
  ChatMessage,
  ChatPrompt,
  GenerateOptions,
  Model,
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
  AttributeResult,
  ChatCompletion,
  ChatCompletionChunk,
  ChatParams,
  Completion,
  CompletionChunk,
  CompletionParams,
  Decision,
  DecisionParams,
  PawnResult,
  SystemOneDecision,
  VerbatimResult,
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

// The official client's parameters fit ours, and the kind of the result follows from `stream`.
type ClientChat = OpenAI.Chat.ChatCompletionCreateParams;
type ClientChatStreamed = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
type ClientChatWhole = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
type ClientMessages = OpenAI.Chat.ChatCompletionMessageParam[];
type Chunks = AsyncGenerator<CompletionChunk>;
type ChatChunks = AsyncGenerator<ChatCompletionChunk>;

const calls = {
  chat: (model: Model, given: ClientChat) => model.createChatCompletion(given),
  chatStreamed: (model: Model, given: ClientChatStreamed) => model.createChatCompletion(given),
  chatWhole: (model: Model, given: ClientChatWhole) => model.createChatCompletion(given),
  text: (model: Model, given: OpenAI.CompletionCreateParams) => model.createCompletion(given),
  textStreamed: (model: Model, given: OpenAI.CompletionCreateParamsStreaming) =>
    model.createCompletion(given),
  textWhole: (model: Model, given: OpenAI.CompletionCreateParamsNonStreaming) =>
    model.createCompletion(given),
  messages: (model: Model, messages: ClientMessages) => model.createChatCompletion({ messages }),
  template: (model: Model, messages: ClientMessages, tools: OpenAI.Chat.ChatCompletionTool[]) =>
    model.applyChatTemplate(messages, { tools }),
  // a program's own `stream`, known only at run time
  chatEither: (model: Model, messages: ChatMessage[], stream: boolean) =>
    model.createChatCompletion({ messages, stream }),
  textEither: (model: Model, prompt: string, stream: boolean) =>
    model.createCompletion({ prompt, stream }),
};
type Made<Name extends keyof typeof calls> = Awaited<ReturnType<(typeof calls)[Name]>>;
holds<Equal<Made<'chat'>, ChatCompletion | ChatChunks>>(true);
holds<Equal<Made<'chatStreamed'>, ChatChunks>>(true);
holds<Equal<Made<'chatWhole'>, ChatCompletion>>(true);
holds<Equal<Made<'text'>, Completion | Chunks>>(true);
holds<Equal<Made<'textStreamed'>, Chunks>>(true);
holds<Equal<Made<'textWhole'>, Completion>>(true);
holds<Equal<Made<'messages'>, ChatCompletion>>(true);
holds<Equal<Made<'template'>, ChatPrompt>>(true);
holds<Equal<Made<'chatEither'>, ChatCompletion | ChatChunks>>(true);
holds<Equal<Made<'textEither'>, Completion | Chunks>>(true);

// every parameter of the client is a parameter of ours: those that we refuse are refused by name
holds<Equal<Exclude<keyof ClientChat, keyof ChatParams>, never>>(true);
holds<Equal<Exclude<keyof OpenAI.CompletionCreateParams, keyof CompletionParams>, never>>(true);
// and a misspelt one is still an error
export const misspelt = (model: Model, messages: ChatMessage[]) =>
  // @ts-expect-error: no such parameter
  model.createChatCompletion({ messages, max_token: 5 });
holds<Equal<CompletionChunk['object'], Completion['object']>>(true);
holds<'prompt' extends keyof CompletionParams ? true : false>(true);

// Decisions: the client's parameters are ours, and its types take our answers
type ClientDecision = OpenAI.DecisionCreateParams;
export const decided = (made: Decision): OpenAI.Decision => made;
export const decisionParams = (given: ClientDecision): DecisionParams => given;
holds<Equal<Exclude<keyof ClientDecision, keyof DecisionParams>, never>>(true);
const decide = {
  list: (model: Model, given: ClientDecision) => model.decide(given),
  record: (model: Model) =>
    model.decide({ state: 'x', questions: { q: { type: 'noul', instructions: 'x' } } }),
};
holds<Equal<Awaited<ReturnType<(typeof decide)['list']>>, Decision>>(true);
holds<Equal<Awaited<ReturnType<(typeof decide)['record']>>, SystemOneDecision>>(true);
export const undecided = (model: Model) =>
  // @ts-expect-error: a predicate has no choices
  model.decide({ state: 'x', questions: [{ type: 'predicate', instructions: 'x', choices: [] }] });

// Lenses: the options and results of the list
const lensed = {
  pawn: (model: Model) => model.lens.pawn([1, 2]),
  verbatim: (model: Model) => model.lens.verbatim({ words: 'coherent', length: 3 }),
  attribute: (model: Model) => model.attribute('x', { by: 'token' }),
};
holds<Equal<Awaited<ReturnType<(typeof lensed)['pawn']>>, PawnResult>>(true);
holds<Equal<Awaited<ReturnType<(typeof lensed)['verbatim']>>, VerbatimResult>>(true);
holds<Equal<Awaited<ReturnType<(typeof lensed)['attribute']>>, AttributeResult>>(true);
export const unseen = (model: Model) =>
  // @ts-expect-error: nouns are arbitrary or coherent
  model.lens.verbatim({ words: 'any' });
export const unknown = (model: Model) =>
  // @ts-expect-error: no such lens
  model.lens.paw('x');
