// Texts: what they contain, and how they begin and end.
// Invariant: positions are code points; patterns run in time linear in the text (RE2).
import { MATCHES, SEARCHES, walks } from '../costs.ts';
import type { Meter } from '../meter.ts';
import { type Library, method, overload } from '../overload.ts';
import type { CelValue } from '../values.ts';
import { matches, pattern } from './patterns.ts';

function matchesPattern([text, of]: readonly CelValue[], meter: Meter): boolean {
  return matches(text as string, pattern(of as string, meter), meter);
}

export const TEXTS: Library = [
  method('startsWith(string, string): bool', startsWith, walks(1)),
  method('endsWith(string, string): bool', endsWith, walks(1)),
  method('contains(string, string): bool', contains, SEARCHES),
  method('matches(string, string): bool', matchesPattern, MATCHES),
  overload('matches(string, string): bool', matchesPattern, MATCHES),
];

function startsWith([text, part]: readonly CelValue[]): boolean {
  return (text as string).startsWith(part as string);
}

function endsWith([text, part]: readonly CelValue[]): boolean {
  return (text as string).endsWith(part as string);
}

function contains([text, part]: readonly CelValue[]): boolean {
  return (text as string).includes(part as string);
}
