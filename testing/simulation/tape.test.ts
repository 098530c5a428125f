// Choices: where they come from, and that a tape repeats them.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../base/random.ts';
import { type Moment, ODDS, type Odd, oddOf } from './odds.ts';
import { choicesOf, type Choice, type Place, randomChoices, recorded } from './tape.ts';

const place = (
  name: string,
  moment: Moment = 'event',
  allows: (odd: Odd) => boolean = () => true,
) => ({ name, moment, allows }) satisfies Place;

const places = Array.from({ length: 400 }, (_, i) =>
  place(`program event ${i}`, (['request', 'reply', 'event'] as const)[i % 3]),
);

describe('choices', () => {
  it('at random are the same for the same seed, and as few as was asked for', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 5 }), (seed, most) => {
        const made = () => {
          const { choices, tape } = recorded(randomChoices(seededRandom(seed), most));
          for (const each of places) choices.choose(each);
          return tape;
        };
        expect(made()).toEqual(made());
        expect(made().length).toBeLessThanOrEqual(most);
      }),
    );
  });

  it('at random come to everything that there is', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 3000; seed++) {
      const { choices, tape } = recorded(randomChoices(seededRandom(seed), 5));
      for (const each of places) choices.choose(each);
      for (const [name, number] of tape)
        seen.add(`${places.find((each) => each.name === name)?.moment} ${number}`);
    }
    const all = Object.entries(ODDS).flatMap(([moment, table]) =>
      table.map((_, i) => `${moment} ${i + 1}`),
    );
    expect([...seen].sort()).toEqual(all.sort());
  });

  it('at random are never what a place does not allow', () => {
    for (let seed = 0; seed < 200; seed++) {
      const choices = randomChoices(seededRandom(seed), 5);
      for (let i = 0; i < 100; i++) {
        const held = place('p', 'reply', ({ kind }) => kind === 'hold');
        const odd = oddOf('reply', choices.choose(held));
        expect(odd === undefined || odd.kind === 'hold').toBe(true);
        expect(choices.choose(place('q', 'request', () => false))).toBe(0);
      }
    }
  });

  it('of a tape are what it says of its places, and nothing odd anywhere else', () => {
    const tape: Choice[] = [
      ['a event 1', 3],
      ['a event 2', 999],
      ['a event 3', 2],
    ];
    const choices = choicesOf(tape);
    expect(choices.choose(place('a event 1'))).toBe(3);
    expect(choices.choose(place('a event 2'))).toBe(0);
    expect(choices.choose(place('a event 3', 'event', () => false))).toBe(0);
    expect(choices.choose(place('a event 4'))).toBe(0);
  });
});
