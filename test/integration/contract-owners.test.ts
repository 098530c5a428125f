// Owners of fields, over each transport and each storage: see test/contracts/api/owners.ts.
import { describe } from 'vitest';
import { ownersContract } from '../contracts/api/owners.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Owners of fields %s', (_, open) => ownersContract(open));
