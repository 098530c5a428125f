// JSON with whole numbers of 64 bits: those that a double cannot hold exactly are bigints, all others numbers as ever.
// Invariant: what is read here comes out of JSON.stringify, anywhere in the program, digit by digit as it was.
// Beyond int64 numbers are doubles, as in the Go programs that this one stands in for.

/**
 * A number that needs a second look: of so many digits that a double may not be exact, or of three places in its exponent,
 * which may be beyond all doubles. Only where numbers can stand: every fifth uid has `4e123` somewhere in it.
 */
const DOUBTFUL = /(?:^|[:[,])\s*-?(?:\d{16}|[\d.]+[eE]\+?\d{3})/;
const WHOLE = /^-?\d+$/;
const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** Revivers are given the source of what they revive, which their type does not say yet. */
type Reviver = (key: string, value: unknown) => unknown;

interface Source {
  readonly source?: string;
}

/**
 * As JSON.parse; a number beyond all doubles is an error too, as it would come out as null. Ordinary texts cost a search
 * more, which is spared where it is known already whether there are doubtful numbers; others several times as much.
 */
export function parseExactJson(text: string, doubtful = DOUBTFUL.test(text)): unknown {
  return doubtful ? JSON.parse(text, exactly as Reviver) : JSON.parse(text);
}

/** Throws SyntaxError for a number that JSON cannot write. */
export function checkFinite(value: number, source: string): void {
  if (!Number.isFinite(value))
    throw new SyntaxError(`the number ${source.slice(0, MAX_SHOWN_CHARS)} is out of range`);
}

const MAX_SHOWN_CHARS = 40;

/** May there be such numbers in the text of a document, in whatever format? */
export function mayHaveLargeIntegers(text: string): boolean {
  return /\d{16}/.test(text);
}

function exactly(_key: string, value: unknown, { source = '' }: Source = {}): unknown {
  if (typeof value !== 'number') return value;
  checkFinite(value, source);
  const isLarge = !Number.isSafeInteger(value) && WHOLE.test(source);
  return isLarge ? exactInteger(BigInt(source)) : value;
}

/** The whole number as such values hold it: a number where that is exact, or where it is beyond int64 anyhow. */
export function exactInteger(value: bigint): bigint | number {
  const number = Number(value);
  if (Number.isSafeInteger(number) || value < LEAST || value > MOST) return number;
  return value;
}

// JSON.stringify asks a bigint for this before it gives up; the raw text is written as it is (ECMAScript, "JSON.rawJSON").
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => object };
Object.defineProperty(BigInt.prototype, 'toJSON', {
  value(this: bigint): object {
    return rawJSON(this.toString());
  },
});
