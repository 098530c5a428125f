// Tables that are asked with words from outside: what is not in them is not there, whatever objects inherit.
// Invariant: a table answers for its own entries only; `constructor` and `__proto__` are words as any other.

/** The entries without a prototype, frozen. Their order stays. */
export function table<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, T>, entries));
}
