// Custom and external figures that cannot be had: in time, or in a form that can be read.
import { expect, it } from 'vitest';
import type { MetricSpecV2 } from '../../api/generated/types.ts';
import type { Handler } from '../../api/wire/exchange.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createInProcessTransport } from '../../client/transport/in-process.ts';
import { METRICS_TIMEOUT_MS, readForeign } from './foreign-metrics.ts';

const queue: MetricSpecV2 = {
  type: 'External',
  external: { metric: { name: 'queue' }, target: { type: 'Value', value: '1' } },
};
const clock = new VirtualClock();

const reading = (handler: Handler, signal = new AbortController().signal) =>
  readForeign([queue], {
    client: createClient(createInProcessTransport(handler, { username: 'hpa', groups: [] })),
    clock,
    namespace: 'n',
    selector: 'app=a',
    resourceOf: () => undefined,
    signal,
  });
const answering =
  (body: object): Handler =>
  () =>
    Promise.resolve({
      kind: 'body',
      status: 200,
      headers: {},
      body: [Buffer.from(JSON.stringify(body))],
    });

it('is given up when its server hangs', async () => {
  const found = reading(() => new Promise(() => undefined));
  await clock.advance(METRICS_TIMEOUT_MS);
  expect(await found).toEqual([
    {
      kind: 'failed',
      why: 'unable to get external metric n/queue/: unable to fetch metrics from external metrics API: context deadline exceeded',
    },
  ]);
});

it('ends with its controller', async () => {
  const stop = new AbortController();
  const found = reading(() => new Promise(() => undefined), stop.signal);
  stop.abort(new Error('over'));
  await expect(found).rejects.toThrow('over');
});

it.each([
  ['values that are no list', { items: 'x' }, 'no metrics returned from external metrics API'],
  ['no values', { items: [] }, 'no metrics returned from external metrics API'],
  [
    'a value that is no quantity',
    { items: [{ value: 'much' }] },
    'the value "much" is no quantity',
  ],
])('says what is wrong with %s', async (_what, body, why) => {
  const [found] = await reading(answering(body));
  expect(found).toMatchObject({ kind: 'failed', why: expect.stringContaining(why) });
});

it('leaves metrics of other types to others', async () => {
  const cpu: MetricSpecV2 = { type: 'Resource' };
  const client = createClient(
    createInProcessTransport(answering({ items: [{ value: '1500m' }, { value: '2' }] }), {
      username: 'hpa',
      groups: [],
    }),
  );
  const question = { client, clock, namespace: 'n', selector: '', resourceOf: () => undefined };
  const { signal } = new AbortController();
  expect(await readForeign([cpu, queue], { ...question, signal })).toEqual([
    undefined,
    { kind: 'value', milli: 3500 },
  ]);
});
