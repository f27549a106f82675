import { loadModel } from 'tokenglass';
import type { Model, Step } from 'tokenglass';
import { build } from 'tokenglass/simd128';
import { lenses } from 'tokenglass/lenses';
import { methods } from 'tokenglass/methods';
import storybook from 'tokenglass/storybook';
import { recordTrace } from 'tokenglass/testing';
import { exportTrace } from 'tokenglass/trace';
import { main } from './program.mjs';

/** The types of a program that uses every entry. */
export async function tell(model: Model): Promise<Step[]> {
  const steps: Step[] = [];
  const session = model.createSession({ seed: 1 });
  for await (const step of session.generate('The fox', { max_tokens: 3 })) steps.push(step);
  const { seed, tokens } = session;
  exportTrace({ model: model.info, prompt: tokens, seed, options: {}, steps });
  console.log(lenses.length, (await model.lens.pawn('The fox')).summary.ratio);
  await recordTrace(model, [{ name: 'fox', prompt: 'The fox' }]);
  const method = { name: 'cntp', n_max: methods.length } as const;
  const { value } = await session.generate('The fox', { method, trace: false }).next();
  if (value) steps.push({ ...value, position: value.method.n_trials });
  // @ts-expect-error: the option is n_ctx
  await loadModel(storybook, { builds: [build], ctx: 5 });
  return steps;
}

main({ loadModel, storybook });
