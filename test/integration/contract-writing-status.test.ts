// Writes of status, over each transport and each storage: see test/contracts/api/writing-status.ts.
import { describe } from 'vitest';
import { writingStatusContract } from '../contracts/api/writing-status.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Writes of status %s', (_, open) => writingStatusContract(open));
