/** The page's entry: in, the built-in model and what the address says; out, the page, live. */
import { render } from 'preact';
import { loadModel } from 'tokenglass';
import { keep } from './register-service-worker.js';
import { Comparison } from './state/compare.js';
import { Tokenization } from './state/tokenization.js';
import { Store } from './state/store.js';
import { ModelLibrary } from './state/models.js';
import { linkOpener } from './state/share.js';
import { App } from './views/app.js';

const store = new Store();
const library = new ModelLibrary(store);
const comparison = new Comparison(store);
const tokenization = new Tokenization(store, comparison);
// the address is read before anything is computed or shown: no default text flashes, none is run for nothing
const openLink = linkOpener(store);
await openLink(location.hash);
window.addEventListener('hashchange', () => void openLink(location.hash));
const app = document.getElementById('app')!;
app.replaceChildren(); // what stood there for the case that this program cannot be loaded
render(
  <App store={store} library={library} comparison={comparison} tokenization={tokenization} />,
  app,
);
await store.start((progress) =>
  loadModel('storybook', {
    on_progress: ({ loaded, total }) => progress(total ? loaded / total : 0),
  }),
);
await keep();
