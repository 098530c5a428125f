// Real responses without a connection: what was ended shows when the outbox sent it.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { MAX_WAITING_ANSWERS, MAX_WAITING_BODY_BYTES, Outbox } from './outbox.ts';

const response = () => new ServerResponse(new IncomingMessage(new Socket()));
const body = Buffer.from('{}');
const endOfTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('the outbox', () => {
  it('sends short answers at the end of the turn, all of them', async () => {
    const outbox = new Outbox();
    const answers = [response(), response(), response()];
    for (const answer of answers) outbox.end(answer, body);
    expect(answers.map((answer) => answer.writableEnded)).toEqual([false, false, false]);
    await endOfTurn();
    expect(answers.map((answer) => answer.writableEnded)).toEqual([true, true, true]);
    const next = response();
    outbox.end(next, undefined);
    await endOfTurn();
    expect(next.writableEnded).toBe(true);
  });

  it('sends all that waits when the limit is reached, and goes on', async () => {
    const outbox = new Outbox();
    const answers = Array.from({ length: MAX_WAITING_ANSWERS }, response);
    for (const answer of answers.slice(1)) outbox.end(answer, body);
    expect(answers.filter((answer) => answer.writableEnded)).toHaveLength(0);
    outbox.end(answers[0] as ServerResponse, body);
    expect(answers.filter((answer) => answer.writableEnded)).toHaveLength(MAX_WAITING_ANSWERS);
    const next = response();
    outbox.end(next, body);
    await endOfTurn();
    expect(next.writableEnded).toBe(true);
  });

  it('keeps no long answer waiting', () => {
    const outbox = new Outbox();
    const [atLimit, beyond] = [response(), response()];
    outbox.end(atLimit, Buffer.alloc(MAX_WAITING_BODY_BYTES));
    outbox.end(beyond, Buffer.alloc(MAX_WAITING_BODY_BYTES + 1));
    expect([atLimit.writableEnded, beyond.writableEnded]).toEqual([false, true]);
  });
});
