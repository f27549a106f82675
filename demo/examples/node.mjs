// Generates text in Node and prints, for each token, what the token was chosen from.
//
//     npm install tokenglass
//     node node.mjs [MODEL] [PROMPT]
//
// MODEL is a path or an address of a GGUF file; without one the built-in story model runs.
import { loadModel } from 'tokenglass';

const [source = 'storybook', prompt = 'Once upon a time'] = process.argv.slice(2);
const percent = (p) => `${(100 * p).toFixed(1)} %`.padStart(8);

const model = await loadModel(source);
console.log(`${model.info.name || model.info.architecture}: ${model.info.n_params} parameters`);
const session = model.createSession({ seed: 5 });
for await (const step of session.generate(prompt, { max_tokens: 20, temperature: 0.7 })) {
  const { candidates, draw } = step.trace;
  const others = candidates
    .filter(({ token, p_final }) => token !== draw.token && p_final > 0)
    .slice(0, 3)
    .map(({ text, p_final }) => `${JSON.stringify(text)} ${percent(p_final).trim()}`);
  const chosen = JSON.stringify(step.text).padEnd(14);
  console.log(`${chosen}${percent(draw.high - draw.low)}   others: ${others.join(', ') || 'none'}`);
}
console.log(await model.detokenize(session.tokens));
await model.dispose();
