// Watches, over each transport and each storage: see test/contracts/api/watching.ts.
import { describe } from 'vitest';
import { watchingContract } from '../contracts/api/watching.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Watches %s', (_, open) => watchingContract(open));
