/** The page's entry: in, the built-in model; out, the page, live. */
import { render } from 'preact';
import { loadModel } from '../web/index.js';
import { Instrument } from './state.js';
import { App } from './views/app.js';

const instrument = new Instrument();
render(<App instrument={instrument} />, document.getElementById('app')!);
void instrument.start((progress) =>
  loadModel('storybook', { progressCallback: ({ loaded, total }) => progress(total ? loaded / total : 0) }),
);
