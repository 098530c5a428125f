// Formats of numbers that carry a check of their own: book numbers and card numbers.
// Invariant: pure; each rule takes time linear in the text.

/** ISBN-10, with dashes and spaces anywhere. */
export function isIsbn10(value: string): boolean {
  const digits = value.replaceAll(/[\s-]+/g, '');
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  return sumOf(digits, (i) => i + 1) % 11 === 0;
}

/** ISBN-13, with dashes and spaces anywhere. */
export function isIsbn13(value: string): boolean {
  const digits = value.replaceAll(/[\s-]+/g, '');
  return /^\d{13}$/.test(digits) && sumOf(digits, (i) => (i % 2 === 0 ? 1 : 3)) % 10 === 0;
}

function sumOf(digits: string, weight: (index: number) => number): number {
  return Array.from(digits).reduce(
    (sum, digit, i) => sum + (digit === 'X' ? 10 : Number(digit)) * weight(i),
    0,
  );
}

/** The ranges of the issuers that upstream's documentation names. */
const CARD =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/;

/** A credit card number, with anything but digits mixed in; its last digit checks the others (Luhn). */
export function isCardNumber(value: string): boolean {
  const digits = value.replaceAll(/\D+/g, '');
  if (!CARD.test(digits)) return false;
  const doubled = (i: number) => (digits.length - i) % 2 === 0;
  const sum = Array.from(digits).reduce((before, digit, i) => {
    const worth = Number(digit) * (doubled(i) ? 2 : 1);
    return before + (worth > 9 ? worth - 9 : worth);
  }, 0);
  return sum % 10 === 0;
}
