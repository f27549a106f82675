/* global chrome */
const modelUrl = new URL(location.href).searchParams.get('model');
globalThis.result = await chrome.runtime.sendMessage({ modelUrl });
