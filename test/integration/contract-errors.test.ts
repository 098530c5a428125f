// Refusals, over each transport and each storage: see test/contracts/api/errors.ts.
import { describe } from 'vitest';
import { errorsContract } from '../contracts/api/errors.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Refusals %s', (_, open) => errorsContract(open));
