// Patches, over each transport and each storage: see test/contracts/api/patching.ts.
import { describe } from 'vitest';
import { patchingContract } from '../contracts/api/patching.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Patches %s', (_, open) => patchingContract(open));
