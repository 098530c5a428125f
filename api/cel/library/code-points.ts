// Positions in texts: expressions count code points, JavaScript counts UTF-16 units.
// Invariant: texts without surrogates, which are nearly all, cost nothing to convert.
import { codePoints } from './operators.ts';

const SURROGATE = /[\ud800-\udfff]/;

/** The unit at which a code point begins; the text's end for positions past it. */
export function unitOf(text: string, point: number): number {
  if (!SURROGATE.test(text)) return Math.min(point, text.length);
  let unit = 0;
  for (let i = 0; i < point && unit < text.length; i += 1)
    unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
  return unit;
}

/** The code point that begins at a unit; below zero stays as it is. */
export function pointOf(text: string, unit: number): bigint {
  return BigInt(unit <= 0 ? unit : codePoints(text.slice(0, unit)));
}
