// The choices of a run. A run asks at each message what befalls it; the answer is a number, and nearly always 0: nothing odd.
// Invariant: a tape holds every choice that is not 0, by the name of its message, so that it alone repeats the run; names are made of who
// and how many of that kind before, so that taking one choice away leaves the others where they were as far as can be.
import type { Random } from '../../base/random.ts';
import { type Moment, ODDS, type Odd } from './odds.ts';

/** One choice that is not 0: which message, and the number of what befalls it (odds.ts). */
export type Choice = readonly [place: string, number: number];

/** Every choice of a run that is not 0, in the order in which they were made. */
export type Tape = readonly Choice[];

/** A message to choose for. */
export interface Place {
  /** Such as `operator request 12`. */
  readonly name: string;
  readonly moment: Moment;
  /** What may befall this message. */
  readonly allows: (odd: Odd) => boolean;
}

/** Where choices come from. */
export interface Choices {
  /** The number of what befalls the message. */
  choose(place: Place): number;
}

/** The choices that a tape holds. */
export function choicesOf(tape: Tape): Choices {
  const byPlace = new Map(tape);
  return {
    choose({ name, moment, allows }) {
      const number = byPlace.get(name) ?? 0;
      const odd = ODDS[moment][number - 1];
      return odd && allows(odd) ? number : 0;
    },
  };
}

/** How often something odd happens: once in so many messages; a run keeps to one of them. */
const RARITIES = [5, 10, 20, 40, 80, 160];

/**
 * Choices at random: each message alike with a chance that the run settles on once, so that some runs have their few odd things
 * early and close together, others late and far apart; at most `most` of them.
 */
export function randomChoices(random: Random, most: number): Choices {
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T;
  const chance = 1 / pick(RARITIES);
  let left = 1 + Math.floor(random.next() * most);
  return {
    choose({ moment, allows }) {
      if (left === 0 || random.next() >= chance) return 0;
      const table = ODDS[moment];
      const kinds = [...new Set(table.filter((odd) => allows(odd)).map(({ kind }) => kind))];
      if (kinds.length === 0) return 0;
      left--;
      // First the kind, then how much of it: no kind is likelier for having more degrees.
      const kind = pick(kinds);
      const numbers = table.flatMap((odd, i) => (odd.kind === kind && allows(odd) ? [i + 1] : []));
      return pick(numbers);
    },
  };
}

/** The same choices, and what they were: `tape` grows with each that is not 0. */
export function recorded(choices: Choices): { readonly choices: Choices; readonly tape: Choice[] } {
  const tape: Choice[] = [];
  return {
    tape,
    choices: {
      choose(place) {
        const number = choices.choose(place);
        if (number !== 0) tape.push([place.name, number]);
        return number;
      },
    },
  };
}
