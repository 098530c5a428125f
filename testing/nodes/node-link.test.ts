// Tests of losing a node's connection: what passes, what fails, and when.
import { beforeEach, describe, expect, it } from 'vitest';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import type {
  Transport,
  TransportReply,
  TransportRequest,
} from '../../client/transport/transport.ts';
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { NodeLink } from './node-link.ts';

const ASKED: TransportRequest = { method: 'GET', path: '/x' };
const REPLY = { status: 200 } as TransportReply;
const EVENTS: readonly WatchEventObject[] = [];

/** A server that answers when the test says so. */
class SlowServer implements Transport {
  asked = 0;
  watchesOver = 0;
  #answers: (() => void)[] = [];

  async request(): Promise<TransportReply> {
    await this.#turn();
    return REPLY;
  }

  async *watch({ signal }: TransportRequest): AsyncGenerator<readonly WatchEventObject[]> {
    signal?.addEventListener('abort', () => this.watchesOver++, { once: true });
    for (;;) {
      await this.#turn();
      yield EVENTS;
    }
  }

  async stream(): Promise<AsyncIterable<Uint8Array>> {
    await this.#turn();
    return (async function* () {})();
  }

  close(): void {}

  /** Answers everything that waits. */
  answer(): void {
    for (const each of this.#answers.splice(0)) each();
  }

  #turn(): Promise<void> {
    this.asked += 1;
    return new Promise((resolve) => this.#answers.push(resolve));
  }
}

let server: SlowServer;
let link: NodeLink;
beforeEach(() => {
  server = new SlowServer();
  link = new NodeLink(server);
});

/** What has become of a promise once every other turn is through. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const outcome = promise.then(
    () => 'done',
    (error: unknown) => (error instanceof ConnectionError ? error.failure : String(error)),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return await Promise.race([outcome, Promise.resolve('waits')]);
}

describe('a node’s connection', () => {
  it('lets everything through while nothing is lost', async () => {
    const request = link.request(ASKED);
    await Promise.resolve();
    server.answer();
    expect(await request).toBe(REPLY);
    const watch = link.watch(ASKED)[Symbol.asyncIterator]();
    const next = watch.next();
    await new Promise((resolve) => setImmediate(resolve));
    server.answer();
    expect((await next).value).toBe(EVENTS);
    await watch.return?.(undefined);
    expect(server.watchesOver).toBe(1);
  });

  it('that is refused fails at once, under way or new, and lets through again when it is healed', async () => {
    const request = link.request(ASKED);
    const watch = link.watch(ASKED)[Symbol.asyncIterator]().next();
    expect(await stateOf(watch)).toBe('waits');
    link.lose('fail');
    expect(await stateOf(request)).toBe('lost');
    expect(await stateOf(watch)).toBe('lost');
    const asked = server.asked;
    expect(await stateOf(link.request(ASKED))).toBe('lost');
    expect(await stateOf(link.stream(ASKED))).toBe('lost');
    expect(server.asked).toBe(asked);
    link.heal();
    const again = link.request(ASKED);
    await stateOf(again);
    server.answer();
    expect(await again).toBe(REPLY);
  });

  it('in which packets vanish withholds answers, and fails them when it is healed', async () => {
    const request = link.request(ASKED);
    const watch = link.watch(ASKED)[Symbol.asyncIterator]().next();
    await stateOf(watch);
    link.lose('hang');
    server.answer();
    const later = link.request(ASKED);
    for (const each of [request, watch, later]) expect(await stateOf(each)).toBe('waits');
    link.heal();
    for (const each of [request, watch, later]) expect(await stateOf(each)).toBe('lost');
  });

  it('that hangs may still be refused, and a caller may give up', async () => {
    link.lose('hang');
    const given = new AbortController();
    const impatient = link.request({ ...ASKED, signal: given.signal });
    const patient = link.request(ASKED);
    given.abort(new Error('enough'));
    expect(await stateOf(impatient)).toBe('Error: enough');
    expect(await stateOf(patient)).toBe('waits');
    link.lose('fail');
    expect(await stateOf(patient)).toBe('lost');
  });
});
