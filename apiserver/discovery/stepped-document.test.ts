// Documents that take long: made while others get their turns, once for all who ask meanwhile, and told by their digest afterwards.
import { describe, expect, it } from 'vitest';
import { MAX_KEPT_DOCUMENT_BYTES } from './document.ts';
import { STEPS_IN_A_TURN, SteppedDocument } from './stepped-document.ts';

const STEPS = 10 * STEPS_IN_A_TURN;

/** A document of so many steps, and how often it was made. */
function counted(bytes = 1) {
  let made = 0;
  const document = new SteppedDocument(function* () {
    made += 1;
    for (let i = 0; i < STEPS; i++) yield;
    return [Buffer.alloc(bytes, 'x')];
  });
  const ask = (ifNoneMatch?: string) => document.reply({ contentType: 'text/plain', ifNoneMatch });
  return { ask, made: () => made };
}

describe('A document in steps', () => {
  it('lets others have their turns while it is made', async () => {
    const { ask } = counted();
    let turns = 0;
    let over = false;
    const turn = () => {
      turns += 1;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    await ask().finally(() => {
      over = true;
    });
    expect(turns).toBeGreaterThanOrEqual(STEPS / STEPS_IN_A_TURN);
  });

  it('is made once for all who ask while it is made, and kept', async () => {
    const { ask, made } = counted();
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(first).toEqual({ ...second, object: expect.any(Function) as unknown });
    await ask();
    expect(made()).toBe(1);
  });

  it('is not made for who has it, large as it is', async () => {
    const { ask, made } = counted(MAX_KEPT_DOCUMENT_BYTES + 1);
    const reply = await ask();
    const { etag = '' } = reply.kind === 'body' ? reply.headers : {};
    expect(await ask(String(etag))).toMatchObject({ kind: 'body', status: 304, body: [] });
    expect(await ask('"other", *')).toMatchObject({ kind: 'body', status: 200 });
    expect(made()).toBeLessThanOrEqual(2);
  });

  it('that failed is made anew when it is asked for again', async () => {
    let broken = true;
    const document = new SteppedDocument(function* () {
      yield;
      if (broken) throw new Error('no');
      return [Buffer.from('{}')];
    });
    const ask = () => document.reply({ contentType: 'text/plain', ifNoneMatch: undefined });
    await expect(ask()).rejects.toThrow('no');
    broken = false;
    expect(await ask()).toMatchObject({ status: 200 });
  });
});
