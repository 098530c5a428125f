// Validation of fields, over each transport and each storage: see test/contracts/api/validating.ts.
import { describe } from 'vitest';
import { validatingContract } from '../contracts/api/validating.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('fieldValidation %s', (_, open) => validatingContract(open));
