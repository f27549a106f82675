/** Asks the browser to keep the page for visits without a network (service-worker.ts). Called once the first choice is shown: what is kept is fetched again in the background, and is not to
 * delay that. Where it cannot be (no such workers here, private windows, a full disk), the page works as before. */
export async function keep(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(
      new URL('service-worker.js', document.baseURI),
    );
    window.addEventListener('pagehide', () => registration.waiting?.postMessage('left'));
  } catch {
    // nothing depends on it
  }
}
