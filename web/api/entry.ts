/** What every entry of the package exports beside loadModel. */
export type * from '../types/types.js';
export type { TokenglassErrorOptions } from '../types/errors.js';
export { TokenglassError } from '../types/errors.js';
export { stages } from '../types/generated-stages.js';
export { errorCodes } from '../types/generated-errors.js';
export { fetchModel } from './fetch-model.js';
