// The order of what happens in simulated time.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { Agenda } from './agenda.ts';

const anOwner = () => ({ isDead: false, pausedUntil: 0 });

function runAll(agenda: Agenda): void {
  while (agenda.nextMoment() !== undefined) agenda.step();
}

describe('an agenda', () => {
  it('lets things happen in order of their moments, then of asking, however they were asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 80 }), (delays) => {
        const agenda = new Agenda(1000);
        const happened: [number, number][] = [];
        for (const [i, ms] of delays.entries())
          agenda.at(1000 + ms, () => happened.push([agenda.now - 1000, i]));
        runAll(agenda);
        const wanted = [...delays.entries()].map(([i, ms]) => [ms, i]);
        expect(happened).toEqual(wanted.sort(([a = 0, i = 0], [b = 0, j = 0]) => a - b || i - j));
      }),
    );
  });

  it('lets what is asked for at a moment happen at that moment, and what is past at once', () => {
    const agenda = new Agenda(0);
    const happened: string[] = [];
    agenda.at(5, () => {
      agenda.at(1, () => happened.push(`past at ${agenda.now}`));
      agenda.at(5, () => happened.push(`same at ${agenda.now}`));
    });
    agenda.at(5, () => happened.push('asked for before'));
    runAll(agenda);
    expect(happened).toEqual(['asked for before', 'past at 5', 'same at 5']);
  });

  it('forgets what was taken back, and everything of the dead', () => {
    const agenda = new Agenda(0);
    const owner = anOwner();
    const happened: string[] = [];
    agenda.at(1, () => happened.push('taken back')).cancel();
    agenda.at(2, () => happened.push('the dead'), owner);
    agenda.at(3, () => happened.push('others'));
    owner.isDead = true;
    expect(agenda.nextMoment()).toBe(3);
    runAll(agenda);
    expect(happened).toEqual(['others']);
  });

  it('keeps everything of somebody who stands still until it goes on, in its order', () => {
    const agenda = new Agenda(0);
    const owner = anOwner();
    const happened: string[] = [];
    const note = (what: string) => () => happened.push(`${what} at ${agenda.now}`);
    agenda.at(1, note('first'), owner);
    agenda.at(2, note('second'), owner);
    agenda.at(3, note('of another'));
    agenda.at(20, note('later'), owner);
    owner.pausedUntil = 10;
    runAll(agenda);
    expect(happened).toEqual(['of another at 3', 'first at 10', 'second at 10', 'later at 20']);
  });
});
