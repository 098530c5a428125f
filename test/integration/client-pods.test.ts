// Commands, logs and ports of pods through the client, the API server and a node's agent; the commands are real processes.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { podLogs } from '../../client/pods/logs.ts';
import { MAX_COLLECTED_BYTES } from '../../client/pods/output.ts';
import {
  connectToPod,
  forwardPort,
  LINGER_MS,
  MAX_FORWARDED_CONNECTIONS,
} from '../../client/pods/port-forward.ts';
import { attachToPod, execInPod } from '../../client/pods/remote-command.ts';
import type { Client } from '../../client/rest/client.ts';
import { type BothTransports, onBothTransports, TRANSPORTS } from '../support/both-transports.ts';
import { aProcessNode, type ProcessNode } from '../support/process-node.ts';
import { until } from '../support/until.ts';

let node: ProcessNode;
let both: BothTransports;
/** What listens in the pod: echoes, in upper case, and says "bye" once it is not spoken to any more. */
let echo: Server;
const echoed = new Set<Socket>();
beforeAll(async () => {
  node = await aProcessNode();
  both = await onBothTransports({ nodeDialer: node.dialer });
  await node.register(both.client('in process'));
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    echoed.add(socket);
    socket.on('data', (data) => socket.write(data.toString('latin1').toUpperCase(), 'latin1'));
    socket.on('end', () => socket.end('bye'));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => echoed.delete(socket));
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await both?.close();
  await node?.close();
  await new Promise((resolve) => echo.close(resolve));
});
const echoPort = () => (echo.address() as AddressInfo).port;

const sh = (script: string) => ['sh', '-c', script];

describe.each(TRANSPORTS)('%s', (over) => {
  let client: Client;
  beforeAll(() => {
    client = both.client(over);
  });

  describe('a command', () => {
    it('is given its input, and gives both outputs and its exit code', async () => {
      const command = sh('cat; echo bad >&2; exit 9');
      const outcome = await execInPod(client, node.ref, { command, stdin: 'some input\n' });
      expect(outcome).toEqual({ exitCode: 9, stdout: 'some input\n', stderr: 'bad\n' });
      const quiet = await execInPod(client, node.ref, { command: ['true'] });
      expect(quiet).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    });

    it.each([
      ['a stream', () => Readable.from([Buffer.from('a'), Buffer.from('b')])],
      ['an iterable', () => ['a', 'b']],
      [
        'a generator',
        async function* () {
          yield 'a';
          await Promise.resolve();
          yield new Uint8Array([98]);
        },
      ],
      ['bytes', () => new Uint8Array([97, 98])],
    ])('takes its input from %s', async (_, input) => {
      const outcome = await execInPod(client, node.ref, { command: ['cat'], stdin: input() });
      expect(outcome.stdout).toBe('ab');
    });

    it('passes much, unchanged, and no faster than it is taken', async () => {
      const bytes = Buffer.alloc(8 * 1024 * 1024, 'abcdefghij');
      const taken: Buffer[] = [];
      const slow = new Writable({
        highWaterMark: 1024,
        write(chunk: Buffer, _, done) {
          taken.push(chunk);
          setImmediate(done);
        },
      });
      const options = { command: ['cat'], stdin: Readable.from([bytes]), stdout: slow };
      expect(await execInPod(client, node.ref, options)).toMatchObject({ exitCode: 0, stdout: '' });
      expect(Buffer.concat(taken).equals(bytes)).toBe(true);
      expect(slow.writableEnded).toBe(false);
    });

    it('is not waited on by an input that goes on after its end, which is let go of', async () => {
      const stdin = new PassThrough();
      stdin.write('word\n');
      const command = sh('read a; echo $a');
      const outcome = await execInPod(client, node.ref, { command, stdin });
      expect(outcome).toMatchObject({ exitCode: 0, stdout: 'word\n' });
      await until(() => stdin.destroyed);
    });

    it('may have a terminal, whose sizes are told', async () => {
      const before = node.runtime.sizes.length;
      async function* terminalSizes() {
        yield { columns: 80, rows: 24 };
        yield { columns: 100, rows: 30 };
      }
      const options = { command: ['cat'], tty: true, stdin: 'x', terminalSizes: terminalSizes() };
      expect((await execInPod(client, node.ref, options)).stdout).toBe('x');
      expect(node.runtime.sizes.slice(before)).toMatchObject([
        { columns: 80, rows: 24 },
        { columns: 100, rows: 30 },
      ]);
    });

    it('that cannot be run, or has nowhere to run, is told as a Status', async () => {
      const nope = execInPod(client, node.ref, { command: ['no-such-program'] });
      await expect(nope).rejects.toMatchObject({
        name: 'StatusError',
        message: expect.stringContaining('executable file not found') as string,
      });
      const container = execInPod(client, node.ref, { command: ['true'], container: 'other' });
      await expect(container).rejects.toMatchObject({ name: 'StatusError', code: 400 });
      const pod = execInPod(client, { ...node.ref, name: 'none' }, { command: ['true'] });
      await expect(pod).rejects.toMatchObject({ reason: 'NotFound' });
      expect(() => execInPod(client, node.ref, { command: [] })).toThrow('at least one word');
    });

    it('dies with its signal', async () => {
      const stop = new AbortController();
      const begun = new PassThrough();
      const running = execInPod(client, node.ref, {
        command: sh('echo on; exec sleep 60'),
        stdout: begun,
        signal: stop.signal,
      });
      await new Promise((resolve) => begun.once('data', resolve));
      expect(node.runtime.running).toBe(1);
      stop.abort(new Error('enough'));
      await expect(running).rejects.toThrow('enough');
      await until(() => node.runtime.running === 0);
    });

    it('ends with the stream that takes its output', async () => {
      const failing = new Writable({ write: (_, __, done) => done(new Error('disk full')) });
      const loud = { command: ['yes'], stdout: failing };
      await expect(execInPod(client, node.ref, loud)).rejects.toThrow('disk full');
      await until(() => node.runtime.running === 0);
    });

    it('ends with the input that fails', async () => {
      async function* stdin() {
        yield 'a';
        throw new Error('no more');
      }
      const reading = execInPod(client, node.ref, { command: ['cat'], stdin: stdin() });
      await expect(reading).rejects.toThrow('no more');
      await until(() => node.runtime.running === 0);
    });

    it('may say no more than is collected, where nothing takes it', async () => {
      const much = execInPod(client, node.ref, { command: ['yes'] });
      await expect(much).rejects.toThrow(`more than ${MAX_COLLECTED_BYTES} bytes; give a stream`);
      await until(() => node.runtime.running === 0);
    });
  });

  it('attaches to what runs, which is no failure however it ends', async () => {
    const outcome = await attachToPod(client, node.ref, { stdin: 'one\ntwo\n' });
    expect(outcome).toEqual({ exitCode: 0, stdout: 'heard one\nheard two\n', stderr: '' });
  });

  it('reads logs line by line, and follows them', async () => {
    const marks = [`${over} 1`, `${over} ü2`];
    for (const mark of marks) node.log(mark);
    const some: string[] = [];
    for await (const line of podLogs(client, node.ref, { tailLines: 2 })) some.push(line);
    expect(some).toEqual(marks);
    const stop = new AbortController();
    const followed: string[] = [];
    const following = (async () => {
      const options = { follow: true, tailLines: 1, signal: stop.signal };
      for await (const line of podLogs(client, node.ref, options))
        if (followed.push(line) === 1) node.log('later');
    })();
    await until(() => followed.length === 2);
    expect(followed).toEqual([marks[1], 'later']);
    stop.abort(new Error('enough'));
    await expect(following).rejects.toThrow('enough');
    const none = podLogs(client, { ...node.ref, name: 'none' })
      [Symbol.asyncIterator]()
      .next();
    await expect(none).rejects.toMatchObject({ reason: 'NotFound' });
  });

  describe('a port', () => {
    it('is reached by a stream, both ways', async () => {
      const connection = await connectToPod(client, { ...node.ref, port: echoPort() });
      connection.write('hello');
      expect(String(await new Promise((resolve) => connection.once('data', resolve)))).toBe(
        'HELLO',
      );
      const body = 'abc'.repeat(1_000_000);
      const back: Buffer[] = [];
      connection.on('data', (data: Buffer) => back.push(data));
      connection.write(body);
      await until(() => back.reduce((sum, { length }) => sum + length, 0) === body.length);
      expect(Buffer.concat(back).toString() === body.toUpperCase()).toBe(true);
      connection.destroy();
      await until(() => echoed.size === 0);
    });

    it('that nobody listens on fails the stream', async () => {
      const connection = await connectToPod(client, { ...node.ref, port: 1 });
      const error = await new Promise((resolve) => connection.once('error', resolve));
      expect(error).toMatchObject({
        name: 'ConnectionError',
        message: expect.stringMatching(
          /error forwarding port 1 to pod shell.*ECONNREFUSED/,
        ) as string,
      });
      const nowhere = connectToPod(client, { ...node.ref, port: 0 });
      await expect(nowhere).rejects.toThrow('0 is no port');
    });

    it('is closed after a while once this side has ended and the pod is quiet', async () => {
      const clock = new VirtualClock();
      const connection = await connectToPod(client, { ...node.ref, port: echoPort() }, { clock });
      const finished = new Promise((resolve) => connection.once('finish', resolve));
      connection.end('hello');
      expect(String(await new Promise((resolve) => connection.once('data', resolve)))).toBe(
        'HELLO',
      );
      expect(echoed.size).toBe(1);
      await finished;
      const ended = new Promise((resolve) => connection.once('end', resolve));
      await clock.advance(LINGER_MS);
      await ended;
      await until(() => echoed.size === 0);
    });

    it('is offered on this host, to many at once', async () => {
      const failures: Error[] = [];
      const options = { onError: (error: Error) => failures.push(error) };
      await using forwarded = await forwardPort(client, { ...node.ref, port: echoPort() }, options);
      const talk = async (text: string) => {
        const socket = connect({ host: forwarded.host, port: forwarded.port });
        socket.write(text);
        const answer = await new Promise((resolve) => socket.once('data', resolve));
        socket.destroy();
        return String(answer);
      };
      const words = Array.from({ length: 20 }, (_, i) => `word${i}`);
      expect(await Promise.all(words.map(talk))).toEqual(words.map((word) => word.toUpperCase()));
      expect(failures).toEqual([]);
      expect(MAX_FORWARDED_CONNECTIONS).toBeGreaterThan(20);
    });

    it('that is offered tells of a connection that could not be taken, and goes on', async () => {
      let listener: Server | undefined;
      const note = (told: unknown) => ({ server: listener } = told as { server: Server });
      subscribe('tracing:net.server.listen:asyncEnd', note);
      const failures: string[] = [];
      const onError = ({ message }: Error) => failures.push(message);
      await using _ = await forwardPort(client, { ...node.ref, port: 1 }, { onError });
      unsubscribe('tracing:net.server.listen:asyncEnd', note);
      // As Node does where accept() fails; without a listener that ends the process.
      listener?.emit('error', new Error('accept EMFILE'));
      expect(failures).toEqual(['accept EMFILE']);
    });

    it('that is offered ends with its signal, and tells what failed meanwhile', async () => {
      const stop = new AbortController();
      const failures: string[] = [];
      const onError = ({ message }: Error) => failures.push(message);
      const at = { ...node.ref, port: 1 };
      const { port, host } = await forwardPort(client, at, { signal: stop.signal, onError });
      const socket = connect({ host, port });
      await new Promise((resolve) => socket.once('close', resolve));
      await until(() => failures.length === 1);
      expect(failures[0]).toContain('ECONNREFUSED');
      stop.abort(new Error('enough'));
      const refused = connect({ host, port });
      const error = await new Promise<NodeJS.ErrnoException>((resolve) =>
        refused.once('error', resolve),
      );
      expect(error.code).toBe('ECONNREFUSED');
      const none = forwardPort(client, { namespace: 'default', name: 'none', port: 80 });
      await expect(none).rejects.toMatchObject({ reason: 'NotFound' });
    });
  });
});
