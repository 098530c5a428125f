// Applies, over each transport and each storage: see test/contracts/api/applying.ts.
import { describe } from 'vitest';
import { applyingContract } from '../contracts/api/applying.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Applies %s', (_, open) => applyingContract(open));
