/** Whether the window is as narrow as a phone's, for what is in another place of the page then. */
import { signal } from '@preact/signals';

const query = matchMedia('(max-width: 700px)'); // as in style/media.css

export const isPhone = signal(query.matches);
query.addEventListener('change', () => (isPhone.value = query.matches));
