// Freezes objects deeply, so that what caches share cannot be changed by one reader under another.
// Invariant: an object frozen at its root is taken to be frozen throughout (only this function freezes).

/** The same value, frozen with everything in it. Costs nothing for what is frozen already. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key in value) deepFreeze(value[key]);
  return value;
}
