// Whole numbers beyond doubles, over each transport and each storage: see test/contracts/api/large-integers.ts.
import { describe } from 'vitest';
import { largeIntegersContract } from '../contracts/api/large-integers.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Large integers %s', (_, open) => largeIntegersContract(open));
