import tokenglass = require('tokenglass');
import storybook = require('tokenglass/storybook');
import methods = require('tokenglass/methods');
import trace = require('tokenglass/trace');

const { loadModel } = tokenglass;

/** The types of a program that uses require(). */
export async function tell(): Promise<number> {
  const model: tokenglass.Model = await loadModel(storybook.default, { n_ctx: 128 });
  const step: tokenglass.Step | undefined = undefined;
  void [step, trace.exportTrace, methods.methods];
  // @ts-expect-error: tokens are numbers
  await model.detokenize('text');
  await model.dispose();
  return model.info.n_vocab;
}
