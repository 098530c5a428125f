// Lists as sets: what contains, equals or meets what.
// Invariant: every pair of items that may have to be compared is charged for beforehand.
import { times } from '../costs.ts';
import { equalItems, itemsOf } from '../equality.ts';
import type { Meter } from '../meter.ts';
import { type CostModel, type Library, overload } from '../overload.ts';
import type { CelValue, ListValue } from '../values.ts';

const pairs = (rounds: number): CostModel => ({
  cost: ([a = 0, b = 0]) => 1 + rounds * times(a, b),
});

const items = (list: CelValue | undefined): readonly CelValue[] => itemsOf(list as ListValue);

function contains(list: readonly CelValue[], part: readonly CelValue[], meter: Meter): boolean {
  return part.every((wanted) => list.some((item) => equalItems(item, wanted, meter)));
}

export const SETS: Library = [
  overload(
    'sets.contains(list(A), list(A)): bool',
    ([list, part], meter) => contains(items(list), items(part), meter),
    pairs(1),
  ),
  overload(
    'sets.equivalent(list(A), list(A)): bool',
    ([one, other], meter) => {
      const [a, b] = [items(one), items(other)];
      return contains(a, b, meter) && contains(b, a, meter);
    },
    pairs(2),
  ),
  overload(
    'sets.intersects(list(A), list(A)): bool',
    ([one, other], meter) => {
      const others = items(other);
      return items(one).some((item) => others.some((each) => equalItems(item, each, meter)));
    },
    pairs(1),
  ),
];
