// Tests of gRPC probes against servers made with gRPC's own library, which knows nothing of ours.
import { createServer, type Server as TcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GRPCAction } from '../../api/generated/types.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { until } from '../../test/support/until.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { FakeRuntime } from '../runtime/fake/fake-runtime.ts';
import { tryProbe } from './probe-action.ts';

/** Statuses by service, as the message that tells them; what is not there is answered with an error of gRPC's own. */
type Answers = Readonly<Record<string, number | { code: number; details: string } | 'silence'>>;

const plain = { serialize: (bytes: Buffer) => bytes, deserialize: (bytes: Buffer) => bytes };
const health = (name: string) => ({
  [name]: {
    path: `/grpc.health.v1.Health/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: plain.serialize,
    requestDeserialize: plain.deserialize,
    responseSerialize: plain.serialize,
    responseDeserialize: plain.deserialize,
  },
});

let server: Server;
let port: number;
/** Calls that have come to the server. */
let calls: number;

async function serve(answers: Answers, method = 'Check'): Promise<void> {
  server = new Server();
  calls = 0;
  server.addService(health(method), {
    [method]: (
      call: { request: Buffer },
      reply: (error: object | null, answer?: Buffer) => void,
    ) => {
      calls += 1;
      const service = call.request.length > 2 ? call.request.subarray(2).toString('utf8') : '';
      const answer = answers[service] ?? { code: status.NOT_FOUND, details: 'unknown service' };
      if (typeof answer === 'number') reply(null, Buffer.from(answer ? [0x08, answer] : []));
      else if (answer !== 'silence') reply(answer);
    },
  });
  port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
}

function attempt(grpc: Partial<GRPCAction> = {}, timeoutSeconds = 60, clock: Clock = systemClock) {
  const images = new FakeImageStore();
  const runtime = new FakeRuntime({ clock: systemClock, images });
  const target = { runtime, clock, containerId: 'c', podIp: '127.0.0.1' };
  return tryProbe(
    { grpc: { port, ...grpc }, timeoutSeconds },
    { ...target, container: { name: 'app' } },
  );
}

beforeEach(() => {
  server = new Server();
});
afterEach(() => server.forceShutdown());

describe('a gRPC probe', () => {
  it('takes a service that serves, the one without a name unless it is named', async () => {
    await serve({ '': 1, shop: 1, bad: 2 });
    expect(await attempt()).toEqual({ ok: true });
    expect(await attempt({ service: 'shop' })).toEqual({ ok: true });
    const message = 'service unhealthy (responded with "NOT_SERVING")';
    expect(await attempt({ service: 'bad' })).toEqual({ ok: false, message });
  });

  it('takes no status for unknown', async () => {
    await serve({ '': 0 });
    const message = 'service unhealthy (responded with "UNKNOWN")';
    expect(await attempt()).toEqual({ ok: false, message });
  });

  it('sends names of every length', async () => {
    const long = 'a'.repeat(300);
    await serve({ [`\u0002${long}`]: 1 });
    expect(await attempt({ service: long })).toEqual({ ok: true });
  });

  it('tells the errors of the call', async () => {
    await serve({});
    const message = 'error: health rpc probe failed: rpc error: code = 5 desc = unknown service';
    expect(await attempt({ service: 'none' })).toEqual({ ok: false, message });
  });

  it('says of a server without the protocol that it has none', async () => {
    await serve({}, 'Watch');
    const { message } = (await attempt()) as { message: string };
    expect(message).toMatch(/^error: this server does not implement the grpc health protocol/);
  });

  it('ends in time with one that does not answer', async () => {
    await serve({ '': 'silence' });
    const message = 'timeout: health rpc did not complete within 0.2s';
    const clock = new VirtualClock();
    const asked = attempt({}, 0.2, clock);
    await until(() => calls === 1);
    await clock.advance(200);
    expect(await asked).toEqual({ ok: false, message });
  });

  it('fails where nothing listens', async () => {
    await serve({});
    const closed = port;
    server.forceShutdown();
    const { message } = (await attempt({ port: closed })) as { message: string };
    const what = `error: failed to connect service at "127.0.0.1:${closed}"`;
    expect(message).toBe(`${what}: dial tcp 127.0.0.1:${closed}: connect: connection refused`);
  });

  it('fails against what speaks another protocol, without harm', async () => {
    const other: TcpServer = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const result = await attempt({ port: (other.address() as AddressInfo).port });
    expect(result).toMatchObject({ ok: false });
    await new Promise((resolve) => other.close(resolve));
  });
});
