// Admission webhooks, over each transport and each storage: see test/contracts/api/asking-webhooks.ts.
import { describe } from 'vitest';
import { askingWebhooksContract } from '../contracts/api/asking-webhooks.ts';
import { EVERY_WAY } from '../support/api-caller.ts';

describe.each(EVERY_WAY)('Webhooks %s', (_, open) => askingWebhooksContract(open));
