// What objects leave out and always have, over each transport and each storage: see test/contracts/api/leaving-out.ts.
import { describe } from 'vitest';
import { leavingOutContract } from '../contracts/api/leaving-out.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Objects %s', (_, open) => leavingOutContract(open));
