// APIServices: rules with their fields and types, defaults, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import { apiServiceDefinition } from './api-service.ts';

const remote = { name: 'shop-api', namespace: 'shop' };
const service = (spec: object = {}, name = 'v1.shop.example.com') =>
  made(apiServiceDefinition, {
    metadata: { name },
    spec: {
      group: 'shop.example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 10,
      ...spec,
    },
  });

describe('APIServices', () => {
  it.each<[string, object, string[]]>([
    ['of this server', {}, []],
    ['of another one', { service: remote }, []],
    ['without a version', { version: '' }, ['metadata.name Invalid', 'spec.version Required']],
    [
      'of the core group in another version',
      { group: '', version: 'v2' },
      ['metadata.name Invalid', 'spec.group Required'],
    ],
    ['with no priority', { groupPriorityMinimum: 0 }, ['spec.groupPriorityMinimum Invalid']],
    [
      'with too high a one',
      { groupPriorityMinimum: 20_001 },
      ['spec.groupPriorityMinimum Invalid'],
    ],
    [
      'with too high a one of the version',
      { versionPriority: 1001 },
      ['spec.versionPriority Invalid'],
    ],
    [
      'of this server with trust that it needs not',
      { caBundle: 'YQ==', insecureSkipTLSVerify: true },
      ['spec.caBundle Invalid', 'spec.insecureSkipTLSVerify Invalid'],
    ],
    [
      'of nobody',
      { service: {} },
      ['spec.service.namespace Required', 'spec.service.name Required'],
    ],
    ['at no port', { service: { ...remote, port: 0 } }, ['spec.service.port Invalid']],
    [
      'trusted two ways',
      { service: remote, caBundle: 'YQ==', insecureSkipTLSVerify: true },
      ['spec.insecureSkipTLSVerify Forbidden'],
    ],
  ])('%s', (_, spec, errors) => {
    expect(broken(apiServiceDefinition, service(spec))).toEqual(errors);
  });

  it('are named by version and group', () => {
    expect(broken(apiServiceDefinition, service({}, 'shop.example.com'))).toEqual([
      'metadata.name Invalid',
    ]);
  });

  it('ask at port 443 unless told otherwise', () => {
    expect(service({ service: remote }).spec?.service?.port).toBe(443);
  });

  it('show who answers, and whether', () => {
    const one = service({ service: remote });
    expect(cells(apiServiceDefinition, one)).toMatchObject({
      Service: 'shop/shop-api',
      Available: 'Unknown',
    });
    one.status = { conditions: [{ type: 'Available', status: 'False', reason: 'Missing' }] };
    expect(cells(apiServiceDefinition, one)).toMatchObject({ Available: 'False (Missing)' });
    expect(cells(apiServiceDefinition, service())).toMatchObject({ Service: 'Local' });
  });
});
