// Dry runs, over each transport and each storage: see test/contracts/api/dry-running.ts.
import { describe } from 'vitest';
import { dryRunningContract } from '../contracts/api/dry-running.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Dry runs %s', (_, open) => dryRunningContract(open));
