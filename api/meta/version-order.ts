// Which version of an API is preferred, by its name alone. Pure.
// Source: Kubernetes docs, "Versions in CustomResourceDefinitions", Version priority.
import { table } from '../../base/table.ts';

const LEVELS: Readonly<Record<string, number>> = table({ alpha: 0, beta: 1 });
const STABLE = 2;

interface Parts {
  readonly level: number;
  readonly major: number;
  readonly minor: number;
}

/**
 * Negative where `a` is preferred over `b`: stable before beta before alpha, higher numbers before lower ones, names of another
 * form last and by the alphabet.
 */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  if (one && other)
    return other.level - one.level || other.major - one.major || other.minor - one.minor;
  if (one || other) return one ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function partsOf(version: string): Parts | undefined {
  const found = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(version);
  if (!found) return undefined;
  const [, major, level, minor = 0] = found;
  const rank = level === undefined ? STABLE : (LEVELS[level] ?? STABLE);
  return { level: rank, major: Number(major), minor: Number(minor) };
}
