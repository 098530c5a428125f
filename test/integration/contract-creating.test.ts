// New and replaced objects, over each transport and each storage: see test/contracts/api/creating.ts.
import { describe } from 'vitest';
import { creatingContract } from '../contracts/api/creating.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('New and replaced objects %s', (_, open) => creatingContract(open));
