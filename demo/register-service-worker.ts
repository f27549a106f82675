/** Registers the service worker, which keeps the page for visits without a network. */
export async function registerServiceWorker(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(
      new URL('service-worker.js', document.baseURI),
    );
    window.addEventListener('pagehide', () => registration.waiting?.postMessage('left'));
  } catch {
    // private windows and full disks refuse it; the page works without it
  }
}
