// The museum's wrong controllers: simulation finds what is wrong with each, makes it small, shows it again, and tells it.
import { afterAll, describe, expect, it } from 'vitest';
import { explore, replay, type SimulationFailureRecord } from '../../testing/simulation/index.ts';
import { exhibits } from '../support/museum.ts';

/** Each is found within so many runs, whatever the first seed. */
const FOUND_WITHIN = 1000;
const LONG = Boolean(process.env['PINNACE_LONG']);
/** The first seeds of the searches: several in the long form. */
const SEEDS = Array.from({ length: LONG ? 9 : 1 }, (_, i) => 1 + 10_000 * i);
/** A ceiling: a search takes seconds. */
const TIMEOUT_MS = SEEDS.length * 600_000;
/** Runs have up to ten odd things; a story that a person follows has no more than this, and nearly every one has one. */
const MOST_LEFT = 3;

const pieces = await exhibits();
const table: string[] = [];

afterAll(() => {
  const head = row('exhibit', 'runs until found', 'odd things left');
  process.stdout.write(`\n${[head, ...table.sort()].join('\n')}\n`);
});

it('has at least twelve pieces', () => {
  expect(pieces.length).toBeGreaterThanOrEqual(12);
});

describe.each(pieces)('the museum piece $name', ({ name, wrong, right }) => {
  it('holds both controllers to the same conditions', () => {
    const conditions = [wrong, right].map(({ always = {}, eventually = {} }) => [
      Object.keys(always),
      Object.keys(eventually),
    ]);
    expect(conditions[0]).toEqual(conditions[1]);
    expect(String(wrong.story)).toBe(String(right.story));
  });

  it(
    'is found out, shown again to the byte, and told by what was odd',
    async () => {
      const found: number[] = [];
      const left: number[] = [];
      for (const seed of SEEDS) {
        const { failures, runs } = await explore(wrong, { runs: FOUND_WITHIN, seed });
        const [failure] = failures;
        if (!failure) throw new Error(`${name}: not found in ${runs} runs from seed ${seed}`);
        await isShownAgain(failure);
        isTold(failure);
        found.push(runs);
        left.push(failure.tape.length);
      }
      table.push(row(name, `${median(found)}`, `${median(left)}`));
    },
    TIMEOUT_MS,
  );

  async function isShownAgain({ seed, tape, outcome, finding }: SimulationFailureRecord) {
    const again = await replay(wrong, { seed, tape });
    expect(again.finding).toEqual(finding);
    expect(again.hash).toBe(outcome.hash);
  }
});

function isTold({ story, tape, outcome, finding }: SimulationFailureRecord): void {
  const odd = outcome.history.filter(({ isOdd }) => isOdd);
  expect(odd).toHaveLength(tape.length);
  expect(tape.length).toBeGreaterThan(0);
  expect(tape.length).toBeLessThanOrEqual(MOST_LEFT);
  expect(story).toContain('What was odd:');
  for (const { text } of odd) expect(story).toContain(text);
  expect(story).toContain(finding.invariant);
}

const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0;

function row(name: string, found: string, left: string): string {
  return `${name.padEnd(28)} ${found.padStart(16)} ${left.padStart(16)}`;
}
