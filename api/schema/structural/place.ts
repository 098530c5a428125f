// Where a walk through a custom resource stands: `spec.ports[0].name`.
// Invariant: texts are made only when an error needs them; a walk without errors makes none.

/** A chain back to the root. */
export interface Path {
  readonly parent: Path | undefined;
  readonly key: string | number;
  /** The key is one of a map, and shown as `labels[key]`. */
  readonly inMap?: true;
}

/** The path as errors show it; the root has none. */
export function textOf(path: Path | undefined): string {
  if (path === undefined) return '';
  const before = textOf(path.parent);
  if (typeof path.key === 'number' || path.inMap) return `${before}[${path.key}]`;
  return before === '' ? path.key : `${before}.${path.key}`;
}
