/** What every entry of the package exports beside loadModel. */
export type * from '../types/types.js';
export type { TokenglassErrorOptions } from '../types/errors.js';
export { TokenglassError } from '../types/errors.js';
export { errorCodes, stages } from '../types/generated.js';
export { fetchModel } from './fetch-model.js';
