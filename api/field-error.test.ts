// How much of broken rules is told: values in full up to a limit, rules up to another.
import { describe, expect, it } from 'vitest';
import { invalid, invalidValue, MAX_SHOWN_CHARS, MAX_TOLD_CHARS } from './field-error.ts';

const KIND = { group: '', kind: 'Pod' };

describe('A value that broke a rule', () => {
  it('is shown whole up to MAX_SHOWN_CHARS, and cut beyond', () => {
    const shown = (length: number) => invalidValue('a', 'x'.repeat(length - 2), 'no').message;
    expect(shown(MAX_SHOWN_CHARS)).toBe(`Invalid value: "${'x'.repeat(MAX_SHOWN_CHARS - 2)}": no`);
    expect(shown(MAX_SHOWN_CHARS + 1)).toBe(
      `Invalid value: "${'x'.repeat(MAX_SHOWN_CHARS - 1)}…: no`,
    );
  });

  it('is never cut within a character', () => {
    const { message } = invalidValue('a', '\u{1F600}'.repeat(MAX_SHOWN_CHARS), 'no');
    expect(message.isWellFormed()).toBe(true);
  });
});

describe('Broken rules', () => {
  const rules = (count: number, length: number) =>
    Array.from({ length: count }, () => ({
      type: 'FieldValueInvalid' as const,
      field: 'ab',
      message: 'x'.repeat(length - 2),
    }));

  it('are all told up to MAX_TOLD_CHARS', () => {
    const { details, message } = invalid(KIND, 'a', rules(MAX_TOLD_CHARS / 64, 64)).toStatus();
    expect(details?.causes).toHaveLength(MAX_TOLD_CHARS / 64);
    expect(message).not.toContain('more');
  });

  it('are told in part beyond, with the number of the others', () => {
    const status = invalid(KIND, 'a', rules(MAX_TOLD_CHARS / 64 + 7, 64)).toStatus();
    expect(status.details?.causes).toHaveLength(MAX_TOLD_CHARS / 64);
    expect(status.message).toMatch(/, and 7 more\]$/);
    const [one] = invalid(KIND, 'a', rules(1, MAX_TOLD_CHARS * 2)).toStatus().details?.causes ?? [];
    expect(one?.message).toHaveLength(MAX_TOLD_CHARS * 2 - 2);
  });
});
