// Deletes, over each transport and each storage: see test/contracts/api/deleting.ts.
import { describe } from 'vitest';
import { deletingContract } from '../contracts/api/deleting.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Deletes %s', (_, open) => deletingContract(open));
