// What a user waits for: certificates, supervisor and control plane from nothing.
// Invariant: compiled and uncompiled starts alternate, so that a change of the host's speed meets both.
import { type CommandStart, commandStart, uncachedStart } from './command-start.ts';
import { median, type Part } from './part.ts';

const STARTS = 5;

/** `pinnace up` without a node. */
export const start: Part = {
  name: 'start',
  async measure(note) {
    const cache = process.env['NODE_COMPILE_CACHE'];
    if (cache === undefined) throw new Error('NODE_COMPILE_CACHE is not set: use npm run bench');
    await commandStart(cache);
    const warm: CommandStart[] = [];
    const cold: CommandStart[] = [];
    for (let i = 0; i < STARTS; i++) {
      warm.push(await commandStart(cache));
      cold.push(await uncachedStart());
    }
    const ms = (those: readonly CommandStart[]) => median(those.map((one) => one.ms));
    const what = '`pinnace up --no-node` typed to "is up", new directory';
    note({ what, value: ms(warm), unit: 'ms', goal: '< 1000' });
    note({ what: 'the same with nothing compiled by set-up', value: ms(cold), unit: 'ms' });
    const rss = median(warm.map(({ rssMb }) => rssMb));
    note({ what: 'supervisor, resident', value: rss, unit: 'MB' });
  },
};
