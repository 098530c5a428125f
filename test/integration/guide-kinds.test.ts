// docs/guide/kinds.md does what it says: its code, beside a whole server.
import { afterAll, expect, it } from 'vitest';
import type { FieldError } from '../../api/field-error.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import type { Kind } from '../../controllers/framework/kinds/kind.ts';
import { anApiServer } from '../support/client-server.ts';
import { guideFiles } from '../support/guide.ts';

const guide = guideFiles('docs/guide/kinds.md');
afterAll(() => guide.remove());

it('has right types', async () => {
  const files = ['backups.ts', 'dials.ts', 'check.ts', 'versions.ts', 'install.ts'];
  expect(guide.names).toEqual(files);
  expect(await guide.faults()).toBe('');
});

it('finds what is wrong without a server', async () => {
  const { right, unknown, wrong } = await guide.load<
    Record<'right' | 'wrong', FieldError[]> & { unknown: string[] }
  >('check.ts');
  expect(right).toEqual([]);
  expect(wrong).toEqual([
    {
      type: 'FieldValueInvalid',
      field: 'spec',
      message: 'Invalid value: many backups need a size',
    },
  ]);
  expect(unknown).toEqual(['spec.kep']);
});

it('converts without loss', async () => {
  const { ticketVersions, tryConverters } = await guide.load<{
    tryConverters: (runs: number) => void;
    ticketVersions: { versions: string[] };
  }>('versions.ts');
  tryConverters(50);
  expect(ticketVersions.versions).toEqual(['v1alpha1', 'v1']);
});

it('installs the kinds, whose objects can be written then', async () => {
  const server = await anApiServer();
  try {
    const client = createClient(server.transport);
    const { install } = await guide.load<{ install: (client: Client) => Promise<void> }>(
      'install.ts',
    );
    await install(client);
    const { Dials } = await guide.load<{ Dials: Kind }>('dials.ts');
    const dial = { apiVersion: 'example.com/v1', kind: 'Dial', metadata: { name: 'a' } };
    const made = await client.resource(Dials).create({ ...dial, spec: { mode: 'on' } } as never);
    expect(made).toMatchObject({ spec: { mode: 'on', size: 1 } });
  } finally {
    await server.close();
  }
});
