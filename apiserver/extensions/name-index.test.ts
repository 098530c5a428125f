// Names that definitions have: of one group, in two spaces, each owner apart.
import { describe, expect, it } from 'vitest';
import { Scheme } from '../../api/scheme.ts';
import { NameIndex } from './name-index.ts';

const GROUP = 'shop.example.com';
const cart = { plural: 'carts', singular: 'cart', kind: 'Cart', listKind: 'CartList' };

describe('names in a group', () => {
  it('are taken by whoever was set to have them, for all others', () => {
    const index = new NameIndex([]);
    index.set('one', GROUP, { ...cart, shortNames: ['ca'] });
    const forOther = index.takenBeside('two', GROUP);
    for (const name of ['carts', 'cart', 'ca']) expect(forOther.resources.has(name)).toBe(true);
    for (const name of ['Cart', 'CartList']) expect(forOther.kinds.has(name)).toBe(true);
    expect(forOther.resources.has('Cart')).toBe(false);
    expect(forOther.resources.has('')).toBe(false);
    expect(index.takenBeside('one', GROUP).resources.has('carts')).toBe(false);
    expect(index.takenBeside('two', 'other.example.com').resources.has('carts')).toBe(false);
  });

  it('that two have are taken for both, until one lets go', () => {
    const index = new NameIndex([]);
    index.set('one', GROUP, cart);
    index.set('two', GROUP, { ...cart, plural: 'trolleys' });
    expect(index.takenBeside('one', GROUP).kinds.has('Cart')).toBe(true);
    index.set('two', GROUP, { kind: 'Trolley' });
    expect(index.takenBeside('one', GROUP).kinds.has('Cart')).toBe(false);
    index.delete('one');
    expect(index.takenBeside('two', GROUP).resources.has('carts')).toBe(false);
  });

  it('of built-in kinds are always taken', () => {
    const index = new NameIndex(new Scheme().definitions);
    const taken = index.takenBeside('one', 'apps');
    expect(taken.resources.has('deploy')).toBe(true);
    expect(taken.kinds.has('DeploymentList')).toBe(true);
  });
});
