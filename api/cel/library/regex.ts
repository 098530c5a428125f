// Parts of texts by pattern: `find` and `findAll`.
// Invariant: patterns run in time linear in the text (RE2), and what they find is charged for.
import { MATCHES } from '../costs.ts';
import { type CostModel, type Library, method } from '../overload.ts';
import type { Meter } from '../meter.ts';
import { type CelValue, type ListValue, PlainList } from '../values.ts';
import { findings, pattern } from './patterns.ts';

const FINDS: CostModel = {
  ...MATCHES,
  size: ([text]) => ({ min: 0, max: text?.size.max ?? 0 }),
};

function findAll([text, of, wanted]: readonly CelValue[], meter: Meter): ListValue {
  const limit = wanted === undefined || (wanted as bigint) < 0n ? Infinity : Number(wanted);
  return new PlainList(findings(text as string, pattern(of as string, meter), { limit, meter }));
}

function find([text, of]: readonly CelValue[], meter: Meter): string {
  const found = findings(text as string, pattern(of as string, meter), { limit: 1, meter });
  return found[0] ?? '';
}

export const REGEX: Library = [
  method('find(string, string): string', find, FINDS),
  method('findAll(string, string): list(string)', findAll, FINDS),
  method('findAll(string, string, int): list(string)', findAll, FINDS),
];
