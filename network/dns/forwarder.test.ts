// What happens to questions about other names: which servers are asked, and how a failure is told.
import { createSocket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { Forwarder, nameServers } from './forwarder.ts';

const QUERY = Buffer.from('abcd01000001000000000000', 'hex');

describe('nameServers', () => {
  it('takes at most three, as resolvers do', () => {
    const text = ['# a comment', ...[1, 2, 3, 4].map((n) => `nameserver 127.0.0.${n}`)].join('\n');
    expect(nameServers(text)).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  });
});

describe('Forwarder', () => {
  it('gives up on a server that cannot be reached, without waiting', async () => {
    // A port that nobody listens on: the kernel refuses, and no time passes on this clock.
    const forwarder = new Forwarder('nameserver 127.0.0.200', new VirtualClock());
    expect(await forwarder.ask(QUERY)).toBeUndefined();
  });

  it('gives up on a server that says nothing, after its time', async () => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(53, '127.0.0.201', () => resolve()));
    try {
      const clock = new VirtualClock();
      const answer = new Forwarder('nameserver 127.0.0.201', clock).ask(QUERY);
      await new Promise<void>((resolve) => silent.once('message', () => resolve()));
      await clock.advance(2_000);
      expect(await answer).toBeUndefined();
    } finally {
      silent.close();
    }
  });

  it('hands on the answer of the first server that gives one', async () => {
    const server = createSocket('udp4');
    await new Promise<void>((resolve) => server.bind(53, '127.0.0.202', () => resolve()));
    server.on('message', (message, from) => server.send(message, from.port, from.address));
    try {
      const resolvConf = 'nameserver 127.0.0.200\nnameserver 127.0.0.202';
      expect(await new Forwarder(resolvConf, new VirtualClock()).ask(QUERY)).toEqual(QUERY);
    } finally {
      server.close();
    }
  });
});
