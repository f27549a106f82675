/** The texts of a model's tokens, which the page reads once for each model. */
import type { Model } from 'tokenglass';

const texts = new WeakMap<Model, Promise<readonly string[]>>();

/** The texts of all tokens for display, by id. */
export function tokenTextsOf(model: Model): Promise<readonly string[]> {
  let known = texts.get(model);
  if (!known) texts.set(model, (known = model.tokenTexts()));
  return known;
}
