// Where the Service `kubernetes` leads: to the address that the server says it listens on for pods.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { Endpoints, EndpointSlices, Services } from '../../api/kinds.ts';
import { type ApiServer, createApiServer } from '../../apiserver/api-server.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';

const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };
const ref = { namespace: 'default', name: 'kubernetes' };

let server: ApiServer;
let client: Client;
const doors = { clock: systemClock, random: systemRandom, logger: silentLogger };
let storage: Storage;
beforeEach(async () => {
  storage = createMemoryStorage(doors);
  server = await createApiServer({ ...doors, storage, serviceCidr: '10.96.0.0/16' });
  client = createClient(createInProcessTransport(server.handler, ADMIN));
});
afterEach(async () => {
  await server.close();
  await storage.close();
});

const placesOf = async () => {
  const { subsets } = await client.resource(Endpoints).get(ref);
  const { endpoints, ports } = await client.resource(EndpointSlices).get(ref);
  return [
    subsets?.map((each) => [each.addresses?.[0]?.ip, each.ports?.[0]?.port]),
    [endpoints?.map((each) => each.addresses), ports?.map((each) => each.port)],
  ];
};

it('is told to Endpoints and a slice of the Service, and follows the server to another port', async () => {
  await server.advertise({ address: '10.244.0.1', port: 6443 });
  expect(await placesOf()).toEqual([[['10.244.0.1', 6443]], [[['10.244.0.1']], [6443]]]);
  const { metadata } = await client.resource(EndpointSlices).get(ref);
  expect(metadata.labels).toMatchObject({ 'kubernetes.io/service-name': 'kubernetes' });
  await client.resource(Services).delete(ref);
  await server.advertise({ address: '10.244.0.1', port: 7443 });
  expect(await placesOf()).toEqual([[['10.244.0.1', 7443]], [[['10.244.0.1']], [7443]]]);
  const { spec } = await client.resource(Services).get(ref);
  const [port] = spec?.ports ?? [];
  expect([spec?.clusterIP, port?.port, port?.targetPort]).toEqual(['10.96.0.1', 443, 7443]);
});

it('is put right where somebody wrote another, and not written anew where it is right', async () => {
  await server.advertise({ address: '10.244.0.1', port: 6443 });
  const slices = client.resource(EndpointSlices);
  const before = await slices.get(ref);
  await server.advertise({ address: '10.244.0.1', port: 6443 });
  expect((await slices.get(ref)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  const forged = { type: 'merge', body: { endpoints: [{ addresses: ['10.0.0.9'] }] } } as const;
  await slices.patch(ref, forged);
  await server.advertise({ address: '10.244.0.1', port: 6443 });
  expect((await slices.get(ref)).endpoints?.[0]?.addresses).toEqual(['10.244.0.1']);
});
