// Words of warning, over each transport and each storage: see test/contracts/api/warning.ts.
import { describe } from 'vitest';
import { warningContract } from '../contracts/api/warning.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Warnings %s', (_, open) => warningContract(open));
