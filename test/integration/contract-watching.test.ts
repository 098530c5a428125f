// Watches, in process, over chunked HTTPS and over WebSockets, over each storage: see test/contracts/api/watching.ts.
import { describe } from 'vitest';
import { watchingContract } from '../contracts/api/watching.ts';
import { EVERY_WAY_TO_WATCH } from '../support/api-caller.ts';

describe.each(EVERY_WAY_TO_WATCH)('Watches %s', (_, open) => watchingContract(open));
