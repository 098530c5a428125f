// The APIServices of this server's own groups, as a client of the aggregation API finds them.
import { describe, expect, it } from 'vitest';
import { anApiCaller } from '../support/api-caller.ts';

describe('APIServices of the server itself', () => {
  it('are there for every group and version that discovery shows, and available', async () => {
    const api = await anApiCaller();
    try {
      const groups = await api.call('GET', '/apis');
      const versions = (groups.json as unknown as Groups).groups
        .flatMap(({ versions: of }) => of.map(({ groupVersion }) => groupVersion))
        .filter((version) => !version.startsWith('apiregistration.k8s.io/'));
      const wanted = ['v1.', ...versions.map((text) => text.split('/').reverse().join('.'))];
      const { json } = await api.call('GET', '/apis/apiregistration.k8s.io/v1/apiservices');
      expect(json.items.map(({ metadata }) => metadata.name)).toEqual(wanted.sort());
      for (const { status } of json.items) {
        expect(status).toMatchObject({ conditions: [{ type: 'Available', status: 'True' }] });
      }
    } finally {
      await api.close();
    }
  });
});

interface Groups {
  readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
}
