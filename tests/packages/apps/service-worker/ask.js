/** Registers a service worker and asks it to work. */
export async function ask(script, options) {
  await navigator.serviceWorker.register(script, options);
  const { active } = await navigator.serviceWorker.ready;
  navigator.serviceWorker.onmessage = ({ data }) => (globalThis.result = data);
  active.postMessage({ modelUrl: new URL(location.href).searchParams.get('model') });
}
