// Semantic versions, by semver.org's grammar and order.
// Invariant: build metadata is kept but counts for nothing in comparisons.
import { CelError } from '../cel-error.ts';
import { walks } from '../costs.ts';
import { type CostModel, type Library, method, overload } from '../overload.ts';
import { type CelValue, int, OpaqueValue } from '../values.ts';

const NUMBER = '(0|[1-9]\\d{0,18})';
const IDS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const SEMVER = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-(${IDS}))?(?:\\+(${IDS}))?$`);
/** Longer texts are no versions. */
const MAX_LENGTH = 1000;

class Semver extends OpaqueValue {
  readonly typeName = 'kubernetes.Semver';
  readonly numbers: readonly bigint[];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly bigint[], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof Semver && compare(this, other) === 0;
  }
}

function tryRead(text: string): Semver | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = SEMVER.exec(text);
  if (match === null) return undefined;
  const [, major = '', minor = '', patch = '', pre] = match;
  const ids = pre?.split('.') ?? [];
  if (ids.some((id) => /^0\d+$/.test(id))) return undefined;
  return new Semver([major, minor, patch].map(BigInt), ids);
}

/** Without `v`, without leading zeros, and with all three numbers; undefined where that cannot be. */
function normalized(text: string): string | undefined {
  const [major = '', minor, ...rest] = text.replace(/^v/, '').split('.');
  const patch = minor === undefined || rest.length === 0 ? undefined : rest.join('.');
  const short = patch === undefined && /[-+]/.test(minor ?? major);
  if (short) return undefined;
  return [major, minor ?? '0', patch ?? '0'].map((part) => part.replace(/^0+(?=\d)/, '')).join('.');
}

function parsed([text, normalize]: readonly CelValue[]): Semver | undefined {
  const source = normalize === true ? normalized((text as string).slice(0, MAX_LENGTH + 1)) : text;
  return source === undefined ? undefined : tryRead(source as string);
}

function read(args: readonly CelValue[]): Semver {
  const version = parsed(args);
  if (version === undefined) {
    const [text] = args;
    throw new CelError(`${JSON.stringify((text as string).slice(0, 100))} is no semantic version`);
  }
  return version;
}

/** Below, equal, above: -1, 0, 1. */
function compare(a: Semver, b: Semver): -1 | 0 | 1 {
  for (const [i, number] of a.numbers.entries()) {
    const other = b.numbers[i] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  return comparePrereleases(a.prerelease, b.prerelease);
}

function comparePrereleases(a: readonly string[], b: readonly string[]): -1 | 0 | 1 {
  // A version is above its own prereleases.
  if (a.length === 0 || b.length === 0) return sign(b.length - a.length);
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const order = compareIds(a[i] ?? '', b[i] ?? '');
    if (order !== 0) return order;
  }
  return sign(a.length - b.length);
}

/** Numbers by worth, and below texts. */
function compareIds(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return BigInt(a) === BigInt(b) ? 0 : BigInt(a) < BigInt(b) ? -1 : 1;
  if (left !== right) return left ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function sign(difference: number): -1 | 0 | 1 {
  if (difference === 0) return 0;
  return difference < 0 ? -1 : 1;
}

const S = 'kubernetes.Semver';
const of = (value: CelValue | undefined): Semver => value as Semver;
const part = (index: number) => (args: readonly CelValue[]) =>
  int(of(args[0]).numbers[index] ?? 0n);
const WALK = walks(0);

/** As upstream counts, and the identifiers that are compared beside. */
const ORDERS: CostModel = {
  cost: () => 1,
  work: ([a, b]) => Math.min(of(a).prerelease.length, of(b).prerelease.length),
};

export const SEMVER_LIBRARY: Library = [
  overload(`semver(string): ${S}`, read, WALK),
  overload(`semver(string, bool): ${S}`, read, WALK),
  overload('isSemver(string): bool', (args) => parsed(args) !== undefined, WALK),
  overload('isSemver(string, bool): bool', (args) => parsed(args) !== undefined, WALK),
  method(`major(${S}): int`, part(0)),
  method(`minor(${S}): int`, part(1)),
  method(`patch(${S}): int`, part(2)),
  method(`isGreaterThan(${S}, ${S}): bool`, ([a, b]) => compare(of(a), of(b)) > 0, ORDERS),
  method(`isLessThan(${S}, ${S}): bool`, ([a, b]) => compare(of(a), of(b)) < 0, ORDERS),
  method(`compareTo(${S}, ${S}): int`, ([a, b]) => BigInt(compare(of(a), of(b))), ORDERS),
];
