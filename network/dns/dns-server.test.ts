// Names of the cluster that stand for names outside: the host's servers are asked for those.
import { createSocket, type Socket } from 'node:dgram';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Services } from '../../api/kinds.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import {
  aControlledCluster,
  type ControlledCluster,
} from '../../test/support/controlled-cluster.ts';
import { until } from '../../test/support/until.ts';
import { DnsServer } from './dns-server.ts';
import { type Answer, decodeQuery, encodeAnswer, encodeQuestion, RCODE } from './wire.ts';

const HOST = '127.0.0.203';
const OUTSIDE = '127.0.0.204';
const PORT = 15_353;
const stop = new AbortController();
let cluster: ControlledCluster;
let outside: Socket;
let running: Promise<unknown>;

beforeEach(async () => {
  cluster = await aControlledCluster();
  const spec = { type: 'ExternalName', externalName: 'www.example.com' };
  await cluster.client.resource(Services).create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'far', namespace: 'default' },
    spec,
  });
  outside = createSocket('udp4');
  await new Promise<void>((resolve) => outside.bind(53, OUTSIDE, () => resolve()));
  outside.on('message', (bytes, from) => {
    const query = decodeQuery(bytes);
    const { name = '', type } = query?.questions?.[0] ?? {};
    const known = name === 'www.example.com' && type === 'A';
    const answers: Answer[] = known ? [{ name, type: 'A', ttl: 1, data: '192.0.2.7' }] : [];
    if (query)
      outside.send(
        encodeAnswer(query, { rcode: RCODE.noError, answers }, 'udp'),
        from.port,
        from.address,
      );
  });
  const doors = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const informers = createInformerFactory({ ...doors, client: cluster.client });
  const server = new DnsServer({
    ...doors,
    informers,
    host: HOST,
    port: PORT,
    domain: 'cluster.local',
    hostResolvConf: `nameserver ${OUTSIDE}`,
  });
  informers.start(stop.signal);
  running = server.run(stop.signal).then(() => informers.finished());
});
afterEach(async () => {
  stop.abort();
  await running;
  outside.close();
  await cluster.close();
});

async function ask(name: string): Promise<readonly unknown[]> {
  const socket = createSocket('udp4');
  try {
    const bytes = encodeQuestion({ id: 7, flags: 256 }, { name, type: 'A' });
    const answered = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    socket.send(bytes, PORT, HOST);
    const { answers = [] } = decodeQuery(await answered) ?? {};
    return answers.map((answer) => ('data' in answer ? answer.data : undefined));
  } finally {
    socket.close();
  }
}

it('answers a Service that stands for a name outside with the addresses of that', async () => {
  const name = 'far.default.svc.cluster.local';
  await until(async () => (await ask(name)).length > 0);
  // Not each time, where this process stands still for longer than the server outside is waited for.
  await expect.poll(() => ask(name)).toEqual(['www.example.com', '192.0.2.7']);
});
