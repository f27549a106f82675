/** Taking a text along: in, the instrument; out, a link or a trace file that brings it about elsewhere, and the way back. */
import type { Step, TraceFile } from '../../web/index.js';
import { exportTrace, importTrace } from '../../web/index.js';
import { chainFrom, optionsOf } from './chain.js';
import type { Instrument } from './instrument.js';
import { TOP_N } from './instrument.js';
import type { Moment } from './link.js';
import { linkOf, momentOf } from './link.js';

const same = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** The shown text with its settings. */
async function momentNow(instrument: Instrument): Promise<Moment> {
  const model = instrument.model.value!;
  const { root } = instrument.tree.value;
  const ids = instrument.promptIds.value;
  const prompt = root.chat ? await model.detokenize(ids) : root.text;
  const asked = await model.tokenize(prompt);
  return {
    ...{ model: model.info.fingerprint, name: model.info.name || model.info.architecture },
    ...{ prompt, ...(!same(asked, ids) && { ids }) },
    ...{ chain: instrument.chain.value, seed: instrument.seed.value },
    path: instrument.path.value.map(({ token }) => token),
    // what was drawn by other settings than these is given, so that a replay of the link tells the truth
    chosen: instrument.path.value.flatMap((node, i) => (instrument.wasDrawnSo(node) ? [] : [i])),
  };
}

/** The page's address with the present moment in it. */
export async function shareLink(instrument: Instrument, page: string): Promise<string> {
  let link = '';
  await instrument.inTurn(async () => void (link = await linkOf(await momentNow(instrument))));
  return `${page.replace(/#.*/s, '')}#${link}`;
}

/** Opens what addresses say, the newest address last: an older one that took longer to read is dropped. */
export function linkOpener(instrument: Instrument): (hash: string) => Promise<void> {
  let newest = 0;
  return async (hash) => {
    const number = ++newest;
    try {
      const moment = await momentOf(hash);
      if (moment && number === newest) await instrument.open(moment, 'link');
    } catch (error) {
      if (number === newest) instrument.notice.value = (error as Error).message;
    }
  };
}

/** The shown text as a trace: every choice with its candidates and stages, made again from the model. */
export async function traceFile(instrument: Instrument): Promise<TraceFile> {
  const model = instrument.model.value!;
  const steps: Step[] = [];
  const prompt = instrument.promptIds.value;
  const usual = { ...optionsOf(instrument.chain.value), seed: instrument.seed.value };
  await instrument.inTurn(async () => {
    const session = model.createSession();
    try {
      await session.sync(prompt);
      for (const { node, text } of instrument.shown.value.made) {
        const { token, bytes, eog } = node!;
        const trace = await session.candidates({
          ...(instrument.askedOf(node!) ?? usual),
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
  const { chain, seed } = instrument;
  return exportTrace({
    model: model.info,
    prompt,
    seed: BigInt(seed.value),
    options: optionsOf(chain.value),
    steps,
  });
}

/** An exported trace becomes the page's text and settings. */
export async function openTrace(instrument: Instrument, json: string): Promise<void> {
  const model = instrument.model.value;
  if (!model) return;
  try {
    const trace = importTrace(json);
    const { samplers = [], ...values } = trace.options;
    const fits =
      trace.model.fingerprint === model.info.fingerprint &&
      trace.prompt.every((id) => id < model.info.n_vocab);
    const prompt = fits ? await model.detokenize(trace.prompt) : '';
    const moment: Moment = {
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
    await instrument.open(moment, 'trace');
  } catch (error) {
    instrument.notice.value = `This file cannot be taken: ${(error as Error).message}`;
  }
}
