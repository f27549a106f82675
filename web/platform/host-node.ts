/** The platform of bundles for Node, Deno and Bun, in place of host.ts. */
export { node as host, fileAt } from './node.js';
