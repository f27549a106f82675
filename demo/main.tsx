/** The page's entry: in, the built-in model and what the address says; out, the page, live. */
import { render } from 'preact';
import { loadModel } from '../web/index.js';
import { keep } from './offline.js';
import { Comparison } from './state/compare.js';
import { Cutting } from './state/cut.js';
import { Instrument } from './state/instrument.js';
import { Library } from './state/models.js';
import { linkOpener } from './state/share.js';
import { App } from './views/app.js';

const instrument = new Instrument();
const library = new Library(instrument);
const comparison = new Comparison(instrument);
const cutting = new Cutting(instrument, comparison);
// the address is read before anything is computed or shown: no default text flashes, none is run for nothing
const openLink = linkOpener(instrument);
await openLink(location.hash);
window.addEventListener('hashchange', () => void openLink(location.hash));
const app = document.getElementById('app')!;
app.replaceChildren(); // what stood there for the case that this program cannot be loaded
render(
  <App instrument={instrument} library={library} comparison={comparison} cutting={cutting} />,
  app,
);
await instrument.start((progress) =>
  loadModel('storybook', {
    on_progress: ({ loaded, total }) => progress(total ? loaded / total : 0),
  }),
);
await keep();
