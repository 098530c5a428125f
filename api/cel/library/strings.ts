// The extended library of texts: parts, positions, replacements, joining and splitting.
// Invariant: positions are code points, and one outside of the text is a CelError; a text that is made is charged for
// before it is made, and has a limit.
import { table } from '../../../base/table.ts';
import { CelError } from '../cel-error.ts';
import { product, SEARCHES, sum, times, traversal, walks, walksAndKeeps } from '../costs.ts';
import { itemsOf } from '../equality.ts';
import { MAX_TEXT_LENGTH } from '../limits.ts';
import type { Meter } from '../meter.ts';
import {
  type CostModel,
  type Library,
  method,
  overload,
  type Range,
  TRAVERSAL,
} from '../overload.ts';
import { type CelValue, type ListValue, PlainList, sizeOf } from '../values.ts';
import { pointOf, unitOf } from './code-points.ts';
import { codePoints } from './operators.ts';

type Args = readonly CelValue[];

/** Charges for a text that is to be made, beyond what the call costs. */
export function chargeText(length: number, meter: Meter): void {
  if (length > MAX_TEXT_LENGTH)
    throw new CelError(`text is too long: at most ${MAX_TEXT_LENGTH} characters may be made`);
  meter.work(length * TRAVERSAL);
}

/** A position of the text, its end included. */
function position(text: string, index: CelValue, end = 0): number {
  const at = index as bigint;
  if (at < 0n || at > BigInt(codePoints(text) - end))
    throw new CelError(`index out of range: ${at}`);
  return Number(at);
}

function charAt([text, index]: Args): string {
  const at = unitOf(text as string, position(text as string, index!));
  return String.fromCodePoint((text as string).codePointAt(at) ?? -1);
}

function charOrNone(args: Args): string {
  const [text, index] = args;
  return (index as bigint) === BigInt(codePoints(text as string)) ? '' : charAt(args);
}

function indexOf([whole, part, from]: Args): bigint {
  const text = whole as string;
  const start = from === undefined ? 0 : position(text, from);
  return pointOf(text, text.indexOf(part as string, unitOf(text, start)));
}

function lastIndexOf([whole, part, from]: Args): bigint {
  const text = whole as string;
  if (from === undefined) return pointOf(text, text.lastIndexOf(part as string));
  return pointOf(text, text.lastIndexOf(part as string, unitOf(text, position(text, from))));
}

function substring([whole, from, to]: Args): string {
  const text = whole as string;
  const start = position(text, from!);
  const end = to === undefined ? codePoints(text) : position(text, to);
  if (start > end) throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  return text.slice(unitOf(text, start), unitOf(text, end));
}

function replace([whole, old, by, limit]: Args, meter: Meter): string {
  const [text, from, to] = [whole, old, by] as [string, string, string];
  const most = limit === undefined || (limit as bigint) < 0n ? Infinity : Number(limit);
  meter.work(text.length * TRAVERSAL);
  const places = placesOf(text, from, most);
  if (places.length === 0) return text;
  chargeText(text.length + places.length * (to.length - from.length), meter);
  const parts: string[] = [];
  let end = 0;
  for (const place of places) {
    parts.push(text.slice(end, place), to);
    end = place + from.length;
  }
  return parts.join('') + text.slice(end);
}

/** Where a part stands; nothing stands before each character and at the end. */
function placesOf(text: string, part: string, most: number): number[] {
  const places: number[] = [];
  let at = text.indexOf(part);
  while (at >= 0 && places.length < most) {
    places.push(at);
    if (part === '' && at >= text.length) break;
    const step = part === '' ? ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) : part.length;
    at = text.indexOf(part, at + step);
  }
  return places;
}

function split([whole, separator, limit]: Args, meter: Meter): ListValue {
  const text = whole as string;
  const most = limit === undefined || (limit as bigint) < 0n ? Infinity : Number(limit);
  if (most === 0) return new PlainList([]);
  if (most === 1) return new PlainList([text]);
  const by = separator as string;
  meter.work(text.length * TRAVERSAL);
  const all = by === '' ? Array.from(text) : text.split(by);
  if (all.length <= most) return new PlainList(all);
  return new PlainList([...all.slice(0, most - 1), all.slice(most - 1).join(by)]);
}

function join([list, separator]: Args, meter: Meter): string {
  const parts = itemsOf(list as ListValue).map((item) => {
    if (typeof item !== 'string') throw new CelError('no such overload');
    return item;
  });
  const between = (separator as string | undefined) ?? '';
  const length = parts.reduce((all, part) => all + part.length, 0);
  chargeText(length + between.length * parts.length, meter);
  return parts.join(between);
}

const SPACE = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${SPACE}+`);

function trim([text]: Args): string {
  const trimmed = (text as string).replace(LEADING, '');
  let end = trimmed.length;
  // Looking from the end by hand: a pattern would look from every run of spaces.
  while (end > 0 && LEADING.test(trimmed.charAt(end - 1))) end -= 1;
  return trimmed.slice(0, end);
}

const QUOTED: Readonly<Record<string, string>> = table({
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
});

/** The text in quotes, with escapes. */
export function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\]|\p{Cc}/gu, (sign) => QUOTED[sign] ?? sign);
  return `"${escaped.toWellFormed()}"`;
}

const lowerAscii = ([text]: Args): string =>
  (text as string).replaceAll(/[A-Z]+/g, (part) => part.toLowerCase());
const upperAscii = ([text]: Args): string =>
  (text as string).replaceAll(/[a-z]+/g, (part) => part.toUpperCase());

/** Upstream counts the text alone; at worst the part is compared at every place of it. */
const searched: CostModel['work'] = ([text, part]) => SEARCHES.cost([sizeOf(text!), sizeOf(part!)]);
const FINDS: CostModel = { ...walks(0), work: searched };

const REPLACES: CostModel = {
  ...walks(0, 2),
  work: searched,
  size: ([text, from, to]) => ({
    min: 0,
    max: replacedMost(text?.size, from?.size, to?.size),
  }),
};

function replacedMost(text: Range = ANY, from: Range = ANY, to: Range = ANY): number {
  if (from.min === 0) return times(text.max + 1, to.max) + text.max;
  if (to.max <= from.min) return text.max;
  return times(Math.ceil(text.max / from.min), to.max);
}

const ANY: Range = { min: 0, max: Infinity };

const SPLITS: CostModel = {
  ...walks(0, 2),
  work: searched,
  size: ([text]) => ({ min: 0, max: text?.size.max ?? 0 }),
};

const joined: CostModel['size'] = ([list, separator]) => {
  const parts = product(list?.size, list?.items ?? ANY);
  return sum(parts, product(list?.size, separator?.size));
};
const JOINS_ALL: CostModel = {
  cost: ([list = 0]) => traversal(list),
  size: joined,
  estimate: (args) => {
    const { min, max } = joined(args);
    return { min: traversal(min), max: traversal(max) };
  },
};

const QUOTES: CostModel = {
  ...walks(0),
  size: ([text]) => ({ min: (text?.size.min ?? 0) + 2, max: (text?.size.max ?? 0) * 2 + 2 }),
};
const KEEPS = walksAndKeeps(0);
const CHARACTER: CostModel = {
  cost: () => 1,
  size: () => ({ min: 0, max: 2 }),
  work: ([text]) => traversal(sizeOf(text!)),
};

export const STRINGS: Library = [
  method('charAt(string, int): string', charOrNone, CHARACTER),
  method('indexOf(string, string): int', indexOf, FINDS),
  method('indexOf(string, string, int): int', indexOf, FINDS),
  method('lastIndexOf(string, string): int', lastIndexOf, FINDS),
  method('lastIndexOf(string, string, int): int', lastIndexOf, FINDS),
  method('lowerAscii(string): string', lowerAscii, KEEPS),
  method('upperAscii(string): string', upperAscii, KEEPS),
  method('trim(string): string', trim, KEEPS),
  method('substring(string, int): string', substring, KEEPS),
  method('substring(string, int, int): string', substring, KEEPS),
  method(
    'reverse(string): string',
    ([text]) =>
      Array.from(text as string)
        .reverse()
        .join(''),
    KEEPS,
  ),
  method('replace(string, string, string): string', replace, REPLACES),
  method('replace(string, string, string, int): string', replace, REPLACES),
  method('split(string, string): list(string)', split, SPLITS),
  method('split(string, string, int): list(string)', split, SPLITS),
  method('join(list(string)): string', join, JOINS_ALL),
  method('join(list(string), string): string', join, JOINS_ALL),
  overload('strings.quote(string): string', ([text]) => quoted(text as string), QUOTES),
];
