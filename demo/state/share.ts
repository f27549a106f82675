/** Taking a text along: in, the store; out, a link or a trace file that brings it about elsewhere, and the way back. */
import type { Step, TraceFile } from 'tokenglass';
import { exportTrace, importTrace } from 'tokenglass';
import { chainFrom, optionsOf } from './chain.js';
import type { Store } from './store.js';
import { TOP_N } from './store.js';
import type { SharedState } from './shared-state.js';
import { encodeSharedState, decodeSharedState } from './shared-state.js';

const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** The shown text with its settings. */
async function momentNow(store: Store): Promise<SharedState> {
  const model = store.model.value!;
  const { root } = store.tree.value;
  const ids = store.promptIds.value;
  const prompt = root.chat ? await model.detokenize(ids) : root.text;
  const asked = await model.tokenize(prompt);
  return {
    ...{ model: model.info.fingerprint, name: model.info.name || model.info.architecture },
    ...{ prompt, ...(!same(asked, ids) && { ids }) },
    ...{ chain: store.chain.value, seed: store.seed.value },
    path: store.path.value.map(({ token }) => token),
    // what was drawn by other settings than these is given, so that a replay of the link tells the truth
    chosen: store.path.value.flatMap((node, i) => (store.wasDrawnSo(node) ? [] : [i])),
  };
}

/** The page's address with the present moment in it. */
export async function shareLink(store: Store, page: string): Promise<string> {
  let link = '';
  await store.inTurn(async () => void (link = await encodeSharedState(await momentNow(store))));
  return `${page.replace(/#.*/s, '')}#${link}`;
}

/** Opens what addresses say, the newest address last: an older one that took longer to read is dropped. */
export function linkOpener(store: Store): (hash: string) => Promise<void> {
  let newest = 0;
  return async (hash) => {
    const number = ++newest;
    try {
      const moment = await decodeSharedState(hash);
      if (moment && number === newest) await store.open(moment, 'link');
    } catch (error) {
      if (number === newest) store.notice.value = (error as Error).message;
    }
  };
}

/** The shown text as a trace: every choice with its candidates and stages, made again from the model. */
export async function traceFile(store: Store): Promise<TraceFile> {
  const model = store.model.value!;
  const steps: Step[] = [];
  const prompt = store.promptIds.value;
  const usual = { ...optionsOf(store.chain.value), seed: store.seed.value };
  await store.inTurn(async () => {
    const session = model.createSession();
    try {
      await session.sync(prompt);
      for (const { node, text } of store.shown.value.made) {
        const { token, bytes, eog } = node!;
        const trace = await session.candidates({
          ...(store.askedOf(node!) ?? usual),
          top_n: TOP_N,
        });
        const { p, rank } = await session.explain(token);
        const logprob = Math.log(p); // as exact as the trace, wherever the token came from
        steps.push({
          token,
          text,
          bytes,
          logprob,
          rank,
          entropy: trace.entropy,
          position: trace.position,
          eog,
          shifted: 0,
          trace,
        });
        await session.append(token);
      }
    } finally {
      await session.dispose();
    }
  });
  const { chain, seed } = store;
  return exportTrace({
    model: model.info,
    prompt,
    seed: BigInt(seed.value),
    options: optionsOf(chain.value),
    steps,
  });
}

/** An exported trace becomes the page's text and settings. */
export async function openTrace(store: Store, json: string): Promise<void> {
  const model = store.model.value;
  if (!model) return;
  try {
    const trace = importTrace(json);
    const { samplers = [], ...values } = trace.options;
    const fits =
      trace.model.fingerprint === model.info.fingerprint &&
      trace.prompt.every((id) => id < model.info.n_vocab);
    const prompt = fits ? await model.detokenize(trace.prompt) : '';
    const moment: SharedState = {
      ...{ model: trace.model.fingerprint, name: trace.model.name, prompt },
      ...(!same(await model.tokenize(prompt), trace.prompt) && fits && { ids: trace.prompt }),
      ...{
        chain: chainFrom(samplers, values as Record<string, unknown>),
        seed: Number(BigInt.asUintN(53, trace.seed)),
      },
      path: trace.steps.map(({ token }) => token),
      chosen: trace.steps.flatMap((step, i) =>
        step.trace && step.trace.draw.token !== step.token ? [i] : [],
      ),
    };
    await store.open(moment, 'trace');
  } catch (error) {
    store.notice.value = `This file cannot be taken: ${(error as Error).message}`;
  }
}
