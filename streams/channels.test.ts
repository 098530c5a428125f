// Tests of the remote command channels' framing.
import { describe, expect, it } from 'vitest';
import {
  CHANNELS,
  chooseProtocol,
  endOfStdinFrame,
  exitFrame,
  failureFrame,
  frame,
  frames,
  MAX_PAYLOAD_BYTES,
  readInput,
  readOutput,
  resizeFrame,
  stdinFrames,
} from './channels.ts';

const V4 = 'v4.channel.k8s.io';
const V5 = 'v5.channel.k8s.io';
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

describe('channels', () => {
  it('prefers v5 over v4 and knows no other', () => {
    expect(chooseProtocol([V4, V5])).toBe(V5);
    expect(chooseProtocol([V4])).toBe(V4);
    expect(chooseProtocol(['channel.k8s.io'])).toBeUndefined();
  });

  it('cuts long output into messages that join to the same bytes', () => {
    const data = new Uint8Array(MAX_PAYLOAD_BYTES * 2 + 7).map((_, i) => i % 251);
    const messages = [...frames(CHANNELS.stdout, data)];
    expect(messages.length).toBe(3);
    const joined = Buffer.concat(
      messages.map((message) => {
        const output = readOutput(message);
        return output.kind === 'stdout' ? output.data : new Uint8Array();
      }),
    );
    expect(joined.equals(data)).toBe(true);
    expect([...frames(CHANNELS.stdout, new Uint8Array())]).toEqual([]);
  });

  it('reads stdin, sizes and the end of stdin', () => {
    const [message] = [...stdinFrames(bytes('ls\n'))];
    expect(readInput(message as Uint8Array, V4)).toEqual({ kind: 'stdin', data: bytes('ls\n') });
    expect(readInput(resizeFrame({ columns: 80, rows: 24 }), V4)).toEqual({
      kind: 'resize',
      columns: 80,
      rows: 24,
    });
    expect(readInput(endOfStdinFrame(), V5)).toEqual({ kind: 'endOfStdin' });
  });

  it('refuses what a client may not send', () => {
    for (const message of [
      frame(CHANNELS.stdout, bytes('x')),
      frame(9, bytes('x')),
      frame(CHANNELS.resize, bytes('{"Width":-1,"Height":2}')),
      frame(CHANNELS.resize, bytes('no json')),
      frame(CHANNELS.close, Uint8Array.of(CHANNELS.stdout)),
    ])
      expect(readInput(message, V5).kind).toBe('invalid');
    expect(readInput(endOfStdinFrame(), V4).kind).toBe('invalid');
  });

  it('tells exit codes and failures by a Status on the error channel', () => {
    expect(readOutput(exitFrame(0))).toEqual({ kind: 'exit', exitCode: 0 });
    expect(readOutput(exitFrame(42))).toEqual({ kind: 'exit', exitCode: 42 });
    expect(readOutput(failureFrame('no such container'))).toEqual({
      kind: 'failure',
      message: 'Internal error occurred: no such container',
    });
    const text = Buffer.from(exitFrame(42).subarray(1)).toString();
    expect(JSON.parse(text)).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '42' }] },
    });
  });

  it('takes an empty message for silence', () => {
    expect(readOutput(new Uint8Array())).toEqual({ kind: 'nothing' });
    expect(readOutput(frame(CHANNELS.stdout, new Uint8Array()))).toEqual({ kind: 'nothing' });
    expect(readInput(new Uint8Array(), V4)).toEqual({ kind: 'stdin', data: new Uint8Array() });
  });
});
