// Which failed creations need not be told.
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../api/status.ts';
import { madeOrNeedless } from './made-or-needless.ts';

const fails = (error: StatusError) => madeOrNeedless(Promise.reject(error));

describe('a creation', () => {
  it('is needless where the thing is there, or the namespace is gone or ending', async () => {
    const causes = [{ reason: 'NamespaceTerminating', message: 'it ends' }];
    await fails(new StatusError('AlreadyExists', 'there'));
    await fails(new StatusError('NotFound', 'no namespace'));
    await fails(new StatusError('Forbidden', 'ending', { details: { causes } }));
  });

  it('that is forbidden otherwise is an error', async () => {
    const forbidden = new StatusError('Forbidden', 'exceeded quota');
    await expect(fails(forbidden)).rejects.toBe(forbidden);
  });
});
