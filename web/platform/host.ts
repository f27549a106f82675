/** The platform of this bundle. wasm/toolchain/build.mjs puts host-node.ts here for Node. */
export { browser as host } from './page.js';
export { fileBeside as fileAt } from './files.js';
