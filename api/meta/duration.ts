// Durations as texts, in the form that Go's time package reads: `1h30m`, `1.5s`, `-2ms`.
// Invariant: pure; takes time linear in the text, as there is one way only to read its digits.
import { table } from '../../base/table.ts';

const UNITS: Readonly<Record<string, number>> = table({
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
});
const WHOLE = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/;
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/** Milliseconds, or undefined for what is no duration. */
export function tryParseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let ms = 0;
  for (const [, number = '', unit = ''] of text.matchAll(PART))
    ms += Number(number) * (UNITS[unit] ?? 0);
  return text.startsWith('-') ? -ms : ms;
}
