// The objects that pods of a node use, once its agent has ended: nothing of it reads on.
import { expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { ObjectSources } from './object-sources.ts';

it('are not read any more once the agent has ended, neither by name nor for a pod', async () => {
  const asked: string[] = [];
  const transport = {
    request({ path }) {
      asked.push(path);
      return new Promise(() => undefined);
    },
  } as Partial<Transport> as Transport;
  const clock = new VirtualClock();
  const sources = new ObjectSources({
    client: createClient(transport),
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  });
  const reading = sources.secret('default', 'before');
  sources.close();
  await expect(reading).rejects.toThrow('the node agent ends');
  asked.length = 0;
  sources.use('pod', [{ kind: 'secret', namespace: 'default', name: 'after' }], () => undefined);
  await expect(sources.configMap('default', 'after')).rejects.toThrow('the node agent ends');
  await clock.settled();
  expect([asked, clock.pendingTimers]).toEqual([[], 0]);
});
