// Writes, over each transport and each storage: see test/contracts/api/writing.ts.
import { describe } from 'vitest';
import { writingContract } from '../contracts/api/writing.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Writes %s', (_, open) => writingContract(open));
