// Applies among other writers, over each transport and each storage: see test/contracts/api/applying-together.ts.
import { describe } from 'vitest';
import { applyingTogetherContract } from '../contracts/api/applying-together.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Owners by turns %s', (_, open) => applyingTogetherContract(open));
