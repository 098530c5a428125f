// Durations as kubectl's flags take them: numbers with units, such as 90s, 1h30m or 500ms; 0 needs none.
import { CommandFailure } from './command-failure.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The duration in milliseconds. Throws for what is none, and names the flag. */
export function durationMs(flag: string, text: string): number {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text))
    throw new CommandFailure(
      `invalid argument "${text}" for "${flag}" flag: give numbers with ms, s, m or h, such as 90s or 1h30m`,
    );
  return [...text.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
}
