/** The page's entry: in, the built-in model; out, the page, live. */
import { render } from 'preact';
import { loadModel } from '../web/index.js';
import { Instrument } from './state.js';
import { App } from './views/app.js';

const instrument = new Instrument();
const app = document.getElementById('app')!;
app.replaceChildren(); // what stood there for the case that this program cannot be loaded
render(<App instrument={instrument} />, app);
void instrument.start((progress) =>
  loadModel('storybook', { progressCallback: ({ loaded, total }) => progress(total ? loaded / total : 0) }),
);
