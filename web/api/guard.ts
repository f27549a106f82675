/** Methods that are called on something else than an object of their class. */
import { invalid } from '../types/arguments.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Makes every method and getter of a class fail with INVALID_ARGUMENT for a `this` that is no
 * object of the class: a method without its object, or a proxy in place of the object.
 * synchronous: the methods that throw; the others reject.
 */
export function guardThis(
  prototype: object,
  owner: string,
  synchronous: readonly PropertyKey[],
  isOwn: (value: object) => boolean,
): void {
  const guarded = (key: PropertyKey, method: Method, throws: boolean): Method =>
    function (...args) {
      if (Object(this) === this && isOwn(this as object)) return method.apply(this, args);
      const error = invalid(`${String(key)} was called on something that is no ${owner}`);
      if (throws) throw error;
      return Promise.reject(error);
    };
  for (const key of Reflect.ownKeys(prototype)) {
    const property = Object.getOwnPropertyDescriptor(prototype, key)!;
    if (key === 'constructor') continue;
    if (property.get) property.get = guarded(key, property.get, true);
    else property.value = guarded(key, property.value as Method, synchronous.includes(key));
    Object.defineProperty(prototype, key, property);
  }
}
