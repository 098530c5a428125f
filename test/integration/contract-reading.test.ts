// Lists, over each transport and each storage: see test/contracts/api/reading.ts.
import { describe } from 'vitest';
import { readingContract } from '../contracts/api/reading.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Lists %s', (_, open) => readingContract(open));
