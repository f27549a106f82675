/**
 * Where the package's own files are: the worker's script, the wasm files, the built-in model. Each
 * is named as new URL('./name', import.meta.url) where it is needed: bundlers recognize that form
 * and copy the file.
 */

/**
 * The address of this script, for a bundle in the form of a classic script, which has no
 * import.meta.url. Only an error's stack names a script of importScripts.
 */
const script =
  (globalThis.document?.currentScript as HTMLScriptElement | null)?.src ||
  /[\w-]+:\/\/\S+(?=:\d+:\d+)/.exec(globalThis.document ? '' : (new Error().stack ?? ''))?.[0] ||
  globalThis.location?.href;

/** The folder of the package's files for a script that has no import.meta.url. */
function besideScript(name: string): string {
  // a CDN serves the script at the address of the whole package, too
  const base = script?.replace(/\/tokenglass(@[^/?#]*)?\/?([?#].*)?$/, '$&/dist/');
  try {
    return new URL(name, base).href;
  } catch {
    return name; // about:blank, for example; base_url can say more
  }
}

/** The address of a file, from the address that this module or its bundle gives. */
export function fileBeside(name: string, locate: () => URL): string {
  let address: string;
  try {
    // Turbopack gives an address without an origin
    address = new URL(locate().href, globalThis.location?.href).href;
  } catch {
    return besideScript(name);
  }
  // Vite's optimizer moves modules, but not the files beside them, to node_modules/.vite/deps
  return address.replace(/\/\.vite\/.*\/([^/]*)$/, '/tokenglass/dist/$1');
}
