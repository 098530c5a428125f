// What is wrong with a kind that somebody defines in TypeScript, told to its author.
// Invariant: every fault names the place in the author's own terms (`spec.targets[].port`), and what to write instead.

/** One mistake. `path` is where it stands: `[]` is an item of a list, `{}` a value of a map; '' is the whole object. */
export interface KindFault {
  readonly path: string;
  readonly message: string;
}

/** A kind that no server would take, with everything that is wrong with it. */
export class KindError extends Error {
  override readonly name = 'KindError';
  readonly faults: readonly KindFault[];

  constructor(what: string, faults: readonly KindFault[]) {
    const lines = faults.map(
      ({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`,
    );
    super(`${what}:\n${lines.join('\n')}`);
    this.faults = faults;
  }
}

/** The place of a field below another. */
export function fieldPath(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`;
}
