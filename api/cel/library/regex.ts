// Parts of texts by pattern: `find` and `findAll`.
// Invariant: patterns run in time linear in the text (RE2), and what they find is charged for.
import { MATCHES } from '../costs.ts';
import { type CostModel, type Library, method } from '../overload.ts';
import { type CelValue, type ListValue, PlainList } from '../values.ts';
import { pattern, patternWork } from './texts.ts';

const FINDS: CostModel = {
  ...MATCHES,
  size: ([text]) => ({ min: 0, max: text?.size.max ?? 0 }),
  work: patternWork,
};

function findAll([text, of, limit]: readonly CelValue[]): ListValue {
  const most = limit === undefined || (limit as bigint) < 0n ? Infinity : Number(limit);
  return new PlainList(pattern(of as string).find(text as string, most));
}

export const REGEX: Library = [
  method(
    'find(string, string): string',
    ([text, of]) => pattern(of as string).find(text as string, 1)[0] ?? '',
    FINDS,
  ),
  method('findAll(string, string): list(string)', findAll, FINDS),
  method('findAll(string, string, int): list(string)', findAll, FINDS),
];
