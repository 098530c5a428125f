// Quantities keep their amount exactly and come out in canonical form.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityOf,
  quantityOfMilli,
  subtractQuantities,
  toMilli,
  toNumber,
  toWhole,
  tryParseQuantity,
} from './quantity.ts';

describe('quantity', () => {
  it.each([
    ['0', '0'],
    ['00', '0'],
    ['-0', '0'],
    ['0Ki', '0'],
    ['1', '1'],
    ['+1', '1'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['5.', '5'],
    ['1.5', '1500m'],
    ['100m', '100m'],
    ['0.0001', '100u'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1000000', '1M'],
    ['1k', '1k'],
    ['12345G', '12345G'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['1E', '1E'],
    ['12e6', '12e6'],
    ['1e-3', '1e-3'],
    ['1e4', '10e3'],
    ['1Ki', '1Ki'],
    ['1024Ki', '1Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['512Ki', '512Ki'],
    ['1023Ki', '1023Ki'],
    ['0.0001Ki', '102400u'],
    ['128974848', '128974848'],
    ['-250m', '-250m'],
    ['-1Gi', '-1Gi'],
    ['99999999999999999999', '9223372036854775807'],
    ['1e30', '9223372036854775807'],
  ])('writes %s as %s', (written, canonical) => {
    expect(canonicalQuantity(written)).toBe(canonical);
  });

  it.each([
    '',
    ' 1',
    '1 ',
    '1.2.3',
    'abc',
    '1kk',
    '1ki',
    '1K',
    '1mi',
    '--1',
    '.',
    'm',
    '1e',
    '0x1',
  ])('refuses %j', (written) => {
    expect(tryParseQuantity(written)).toBeUndefined();
    expect(() => parseQuantity(written)).toThrow('quantities must match the regular expression');
  });

  it('refuses amounts of absurd length instead of counting them', () => {
    expect(tryParseQuantity('9'.repeat(1000))).toBeUndefined();
    expect(formatQuantity(parseQuantity('1e-999999999'))).toBe('1e-9');
  });

  it('adds, subtracts and compares across forms exactly', () => {
    const sum = addQuantities(parseQuantity('0.1'), parseQuantity('200m'));
    expect(formatQuantity(sum)).toBe('300m');
    expect(formatQuantity(subtractQuantities(parseQuantity('1Gi'), parseQuantity('1Mi')))).toBe(
      '1023Mi',
    );
    expect(compareQuantities(parseQuantity('1Ki'), parseQuantity('1024'))).toBe(0);
    expect(compareQuantities(parseQuantity('1Ki'), parseQuantity('1k'))).toBe(1);
    expect(compareQuantities(parseQuantity('999m'), parseQuantity('1'))).toBe(-1);
  });

  it('takes the form of the other summand when it is zero', () => {
    expect(formatQuantity(addQuantities(quantityOf(0), parseQuantity('1Gi')))).toBe('1Gi');
  });

  it('counts in thousandths and in whole units, rounding up', () => {
    expect(toMilli(parseQuantity('1.5'))).toBe(1500);
    expect(toMilli(parseQuantity('1u'))).toBe(1);
    expect(toMilli(parseQuantity('-1500u'))).toBe(-2);
    expect(toWhole(parseQuantity('1Gi'))).toBe(2 ** 30);
    expect(toWhole(parseQuantity('1m'))).toBe(1);
    expect(toNumber(parseQuantity('250m'))).toBe(0.25);
  });

  it('is made from numbers', () => {
    expect(formatQuantity(quantityOfMilli(250))).toBe('250m');
    expect(formatQuantity(quantityOf(2 ** 20, 'binary'))).toBe('1Mi');
    expect(formatQuantity(quantityOf(0.25))).toBe('250m');
  });

  it('means the same after being written and read again', () => {
    const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'E-2');
    const number = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(number, suffix, (value, unit) => {
        const quantity = parseQuantity(`${value}${unit}`);
        const text = formatQuantity(quantity);
        expect(formatQuantity(parseQuantity(text))).toBe(text);
        expect(parseQuantity(text).nanos).toBe(quantity.nanos);
      }),
    );
  });
});
