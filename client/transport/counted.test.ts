// A client's requests in figures: each counted once, by how it was answered.
import { expect, it } from 'vitest';
import { notFound } from '../../api/status.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { systemClock } from '../../base/clock.ts';
import { Figures } from '../../base/figures.ts';
import { ClientFigures } from './counted.ts';
import type { Transport, TransportReply } from './transport.ts';

const reply = { status: 201, headers: {}, warnings: [] } as unknown as TransportReply;

async function* events(): AsyncGenerator<readonly WatchEventObject[]> {
  yield await Promise.resolve([]);
}

function aTransport(fail?: Error): Transport {
  const outcome = <T>(value: T) => (fail ? Promise.reject(fail) : Promise.resolve(value));
  return {
    request: () => outcome(reply),
    watch: events,
    stream: () => outcome((async function* () {})()),
    close: () => undefined,
  };
}

it('counts requests by code, method and host, and those that were not answered', async () => {
  const figures = new Figures();
  const calls = new ClientFigures(figures);
  const well = calls.counted(aTransport(), 'here', systemClock);
  const missing = notFound({ group: '', plural: 'pods' }, 'a');
  const refused = calls.counted(aTransport(missing), 'here', systemClock);
  const lost = calls.counted(aTransport(new Error('lost')), 'there', systemClock);
  const post = { method: 'POST', path: '/x' } as const;
  const get = { method: 'GET', path: '/x' } as const;
  for (let i = 0; i < 3; i++) expect(await well.request(post)).toBe(reply);
  await expect(refused.request(get)).rejects.toBe(missing);
  await expect(lost.request(get)).rejects.toThrow('lost');
  for await (const batch of well.watch(get)) expect(batch).toEqual([]);
  await well.stream(get);
  const lines = (await figures.text()).split('\n');
  const total = (code: string, method: string, host: string) =>
    `rest_client_requests_total{code="${code}",method="${method}",host="${host}"}`;
  for (const line of [
    `${total('201', 'POST', 'here')} 3`,
    `${total('404', 'GET', 'here')} 1`,
    `${total('<error>', 'GET', 'there')} 1`,
    `${total('200', 'GET', 'here')} 2`,
    'rest_client_request_duration_seconds_count{verb="POST",host="here"} 3',
    'rest_client_request_duration_seconds_count{verb="GET",host="here"} 1',
  ])
    expect(lines).toContain(line);
});
