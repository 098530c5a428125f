// Forms of answers, over each transport and each storage: see test/contracts/api/showing.ts.
import { describe } from 'vitest';
import { showingContract } from '../contracts/api/showing.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Forms of answers %s', (_, open) => showingContract(open));
