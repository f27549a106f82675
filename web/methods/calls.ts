/** The calls of Model that are decoding methods. */
export { beamSearch } from './beam.js';
export { decide } from './decide.js';
export { navigate } from './navigate.js';
export { vote } from './vote.js';
