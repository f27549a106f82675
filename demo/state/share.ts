/** Sharing a text: as a link or as a trace file, and opening links and trace files. */
import type { Step, TraceFile } from 'tokenglass';
import { exportTrace, importTrace } from 'tokenglass/trace';
import { chainFrom, optionsOf } from './chain.js';
import { sameIds } from './engine.js';
import { wordsOf } from './messages.js';
import type { SharedState } from './shared-state.js';
import { decodeSharedState, encodeSharedState } from './shared-state.js';
import type { Store } from './store.js';
import type { TreeNode } from './tree.js';
import { idsOf } from './tree.js';

/** Number of candidates of each choice in a trace file. */
const TOP_N = 100;

/** The text on the page with its settings. */
async function currentState({ document, engine, sampler }: Store): Promise<SharedState> {
  const model = engine.model.value!;
  const n_typed = document.typedLength.value;
  const ids = document.tokensTo(n_typed);
  const output = document.path.value.slice(n_typed);
  const prompt = document.editable.value
    ? document.text.value.slice(0, document.tokens.value[n_typed]?.start)
    : await model.detokenize(ids);
  const isDrawn = (node: TreeNode) => {
    const options = sampler.options(engine.windows.numberOf(node.depth - 1));
    return JSON.stringify(document.optionsOf(node)) === JSON.stringify(options);
  };
  return {
    model: model.info.fingerprint,
    name: model.info.name || model.info.architecture,
    prompt,
    ...(!sameIds(await model.tokenize(prompt), ids) && { ids }),
    chain: sampler.chain.value,
    seed: sampler.seed.value,
    path: idsOf(output),
    // a check of the link has only these settings, so it can draw only what these settings drew
    chosen: output.flatMap((node, i) => (isDrawn(node) ? [] : [i])),
  };
}

/** The page's address with the text in it. */
export async function shareLink(store: Store, address: string): Promise<string> {
  const link = await store.exclusive(async () => encodeSharedState(await currentState(store)));
  return `${address.replace(/#.*/s, '')}#${link}`;
}

/** Returns a function that opens the link in an address's part after the #. When a newer link comes
 *  while an older one is being read, the older one is dropped. */
export function linkOpener(store: Store): (hash: string) => Promise<void> {
  let newest = 0;
  return async (hash) => {
    const number = ++newest;
    try {
      const shared = await decodeSharedState(hash);
      if (shared && number === newest) await store.open(shared, 'link');
    } catch (error) {
      if (number === newest) store.status.notice.value = wordsOf(error);
    }
  };
}

/** The text on the page as a trace: each choice with its candidates and stages, computed again. */
export function traceFile(store: Store): Promise<TraceFile> {
  const { document, engine, sampler } = store;
  return store.exclusive(async () => {
    const model = engine.model.value!;
    const n_typed = document.typedLength.value;
    const ids = document.tokensTo();
    const prompt = ids.slice(0, n_typed);
    const steps: Step[] = [];
    const session = model.createSession();
    try {
      for (const { index, node, text } of document.tokens.value.slice(n_typed)) {
        const { token, bytes, eog } = node;
        const window = engine.windows.at(ids, index);
        await session.sync(window.ids);
        const trace = await session.candidates({
          ...(document.optionsOf(node) ?? sampler.options(window.number)),
          top_n: TOP_N,
        });
        const { p, rank } = await session.explain(token);
        steps.push({
          token,
          text,
          bytes,
          logprob: Math.log(p), // computed again, so that it fits the trace
          rank,
          entropy: trace.entropy,
          position: index,
          eog,
          shifted: 0,
          trace,
        });
      }
    } finally {
      await session.dispose();
    }
    return exportTrace({
      model: model.info,
      prompt,
      seed: BigInt(sampler.seed.value),
      options: optionsOf(sampler.chain.value),
      steps,
    });
  });
}

/** Opens an exported trace: its text and its settings become the page's. */
export async function openTrace(store: Store, json: string): Promise<void> {
  if (!store.engine.model.value) return;
  try {
    const shared = await store.exclusive(() => stateOfTrace(store, json));
    await store.open(shared, 'trace');
  } catch (error) {
    store.status.notice.value = wordsOf(error);
  }
}

async function stateOfTrace({ engine }: Store, json: string): Promise<SharedState> {
  const model = engine.model.value!;
  const { info } = model;
  const { model: source, prompt: ids, options, seed, steps } = importTrace(json);
  const { samplers = [], ...values } = options;
  const isOwn = source.fingerprint === info.fingerprint && ids.every((id) => id < info.n_vocab);
  const prompt = isOwn ? await model.detokenize(ids) : '';
  return {
    model: source.fingerprint,
    name: source.name,
    prompt,
    ...(isOwn && !sameIds(await model.tokenize(prompt), ids) && { ids }),
    chain: chainFrom(
      samplers,
      values as Record<string, unknown>,
      values.logit_bias as Record<string, number> | undefined,
    ),
    seed: Number(BigInt.asUintN(53, seed)),
    path: steps.map(({ token }) => token),
    chosen: steps.flatMap(({ token, trace }, i) =>
      trace && trace.draw.token !== token ? [i] : [],
    ),
  };
}
