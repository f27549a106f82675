/** The page's entry: reads the link in the address, draws the page and loads the built-in model. */
import { render } from 'preact';
import { loadModel } from 'tokenglass';
import { registerServiceWorker } from './register-service-worker.js';
import { ModelLibrary } from './state/models.js';
import { linkOpener } from './state/share.js';
import { Store } from './state/store.js';
import { App } from './views/app.js';

const store = new Store();
const library = new ModelLibrary(store);
// A link in the address is read first, so that the page shows and computes the link's text and no
// other.
const openLink = linkOpener(store);
window.addEventListener('hashchange', () => void openLink(location.hash));
await openLink(location.hash);
const app = document.getElementById('app')!;
app.replaceChildren(); // removes the message for browsers that cannot load this program
render(<App store={store} library={library} />, app);
await store.start((progress) =>
  loadModel('storybook', {
    on_progress: ({ loaded, total }) => progress(total ? loaded / total : 0),
  }),
);
await registerServiceWorker(); // after the first choice: it downloads the files of the page again
