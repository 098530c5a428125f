// Do converters lose anything? Objects made from the schemas go to another version and back, and have to come back unchanged.
// Invariant: the same seed tries the same objects; what is found is an error with the object and the fields that differ.
import type { KubeObject } from '../../../api/meta/object.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import { seededRandom } from '../../../base/random.ts';
import type { Kind } from './kind.ts';

/** How to try. */
export interface RoundTripOptions {
  /** Objects of each version; 100 unless told. */
  readonly runs?: number;
  readonly seed?: number;
  /** Objects of the version that the kind is defined in may lose fields that older versions do not have. */
  readonly lossyDown?: boolean;
}

/** An object that does not survive a conversion. */
export class RoundTripError extends Error {
  override readonly name = 'RoundTripError';
  /** What went in. */
  readonly object: KubeObject;
  /** What came out of the way there, or of the way back. */
  readonly made: KubeObject;

  constructor(what: string, object: KubeObject, made: KubeObject) {
    super(`${what}\nfrom ${JSON.stringify(object)}\nto   ${JSON.stringify(made)}`);
    this.object = object;
    this.made = made;
  }
}

/** Tries all versions of a kind. Throws RoundTripError for the first object that is lost, or is not valid on the other side. */
export function checkRoundTrips<T extends KubeObject, W>(
  kind: Kind<T, W>,
  options: RoundTripOptions = {},
): void {
  const { lossyDown = false, runs = 100, seed = 1 } = options;
  for (const [name, version] of kind.versions) {
    if (name === kind.version) continue;
    const random = seededRandom(seed);
    for (let i = 0; i < runs; i++) {
      tried({ kind, from: name, to: kind.version }, kind.sampleIn(name, random));
      if (!lossyDown && version.converts)
        tried({ kind, from: kind.version, to: name }, kind.sample(random));
    }
  }
}

interface Way {
  readonly kind: Pick<Kind, 'convert' | 'kind' | 'validate'>;
  readonly from: string;
  readonly to: string;
}

function tried({ kind, from, to }: Way, object: KubeObject): void {
  const there = kind.convert(object, to);
  const [wrong] = kind.validate(there);
  const what = `${kind.kind} ${from} -> ${to}`;
  if (wrong)
    throw new RoundTripError(
      `${what} is not valid: ${wrong.field}: ${wrong.message}`,
      object,
      there,
    );
  const back = kind.convert(there, from);
  const path = difference(object, back, '');
  if (path !== undefined)
    throw new RoundTripError(`${what} -> ${from} changes ${path}`, object, back);
}

/** The first place that differs. */
function difference(before: unknown, after: unknown, path: string): string | undefined {
  if (deepEqual(before, after)) return undefined;
  if (!isFields(before) || !isFields(after) || Array.isArray(before) !== Array.isArray(after))
    return path;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const below = Array.isArray(before) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    const found = difference(before[key], after[key], below);
    if (found !== undefined) return found;
  }
  return path;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
