// Large bodies in YAML, read and written: others are served meanwhile, and what comes of them is what small ones come to.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LARGE_YAML_BYTES, MAX_YAML_ANSWER_BYTES } from '../../apiserver/yaml-bodies.ts';
import { MAX_WAITING_YAML } from '../../apiserver/yaml-thread.ts';
import { type Answer, startTestServer, type TestServer } from '../support/server.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';
const YAML = { 'content-type': 'application/yaml' };
const APPLY = { 'content-type': 'application/apply-patch+yaml' };
/** Some hundred kilobytes: what takes a good part of a second to read or to write. */
const KEYS = 12_000;

const named = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
const data = Array.from({ length: KEYS }, (_, i) => `  key-${i}: "value of ${i}"\n`).join('');
const large = (name: string, more = '') => `${named(name)}data:\n${data}${more}`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** The answer to a request, and how many gets one after another were answered before it. */
async function amongGets(request: Promise<Answer>): Promise<[answer: Answer, gets: number]> {
  let gets = 0;
  let over = false;
  const done = request.finally(() => {
    over = true;
  });
  while (!over) {
    expect((await server.call('GET', '/api/v1/namespaces/default')).status).toBe(200);
    gets += 1;
  }
  return [await done, gets];
}

describe('A large body in YAML', () => {
  it('is read while others are served', async () => {
    const [made, gets] = await amongGets(
      server.call('POST', MAPS, { body: large('made'), headers: YAML }),
    );
    expect([made.status, Object.keys(made.json()['data'] as object).length]).toEqual([201, KEYS]);
    expect(gets).toBeGreaterThan(10);
  });

  it('is written while others are served, as small ones are', async () => {
    const [answer, gets] = await amongGets(
      server.call('GET', `${MAPS}/made`, { headers: { accept: 'application/yaml' } }),
    );
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/yaml']);
    expect(answer.text).toContain('\n  key-7: value of 7\n');
    expect(gets).toBeGreaterThan(10);
  });

  it('is applied, and is the same when it is sent as JSON', async () => {
    const path = `${MAPS}/applied?fieldManager=x`;
    const [made, gets] = await amongGets(
      server.call('PATCH', path, { body: large('applied'), headers: APPLY }),
    );
    expect(made.status).toBe(201);
    expect(gets).toBeGreaterThan(10);
    const { apiVersion, kind, data: values } = made.json();
    const body = { apiVersion, kind, metadata: { name: 'applied' }, data: values };
    const again = await server.call('PATCH', path, { body, headers: APPLY });
    expect(again.json()['metadata']).toEqual(made.json()['metadata']);
  });

  it.each([
    ['twice the same key', '  key-1: again\n', 'duplicate field \\"data.key-1\\"'],
    ['a number too large for JSON', '  number: 1e999\n', 'error converting YAML to JSON'],
    ['a fault', '  - here: there\n', 'error converting YAML to JSON'],
  ])('is refused in the words for small ones: %s', async (_, more, words) => {
    const path = `${MAPS}?fieldValidation=Strict`;
    const small = `${named('a')}data:\n  key-1: one\n${more}`;
    expect(small.length).toBeLessThan(LARGE_YAML_BYTES);
    for (const body of [small, large('a', more)]) {
      const { status, text } = await server.call('POST', path, { body, headers: YAML });
      expect([status, text]).toEqual([400, expect.stringContaining(words)]);
    }
  });

  it('keeps whole numbers beyond those of doubles', async () => {
    const path = '/apis/apps/v1/namespaces/default/controllerrevisions';
    const body = `metadata: {name: a}\nrevision: 1\ndata:\n  large: 9007199254740993\n${data}`;
    const { status, text } = await server.call('POST', path, { body, headers: YAML });
    expect([status, text.slice(0, 300)]).toEqual([201, expect.anything()]);
    expect(text).toContain('"large":9007199254740993');
  });

  it('is written up to MAX_YAML_ANSWER_BYTES of JSON; more is to be asked for as JSON, or in pages', async () => {
    const text = { a: 'x'.repeat(1_000_000) };
    for (let i = 0; i <= MAX_YAML_ANSWER_BYTES / 1_000_000; i++)
      await server.call('POST', MAPS, { body: { metadata: { name: `large-${i}` }, data: text } });
    const { status, text: said } = await server.call('GET', MAPS, {
      headers: { accept: YAML['content-type'] },
    });
    expect([status, said]).toEqual([406, expect.stringContaining('ask for JSON, or for pages')]);
    const page = await server.call('GET', `${MAPS}?limit=2`, {
      headers: { accept: YAML['content-type'] },
    });
    expect(page.status).toBe(200);
  });

  it('waits for others in line, up to MAX_WAITING_YAML; further ones are told to come again', async () => {
    const body = `${named('a')}#${'x'.repeat(LARGE_YAML_BYTES)}`;
    const answers = await Promise.all(
      Array.from({ length: 3 * MAX_WAITING_YAML }, () =>
        server.call('POST', `${MAPS}?dryRun=All`, { body, headers: YAML }),
      ),
    );
    const refused = answers.filter(({ status }) => status === 429);
    const taken = answers.filter(({ status }) => status === 201);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers['retry-after']).toBe('1');
    expect(taken.length).toBeGreaterThan(MAX_WAITING_YAML);
    expect(refused.length + taken.length).toBe(answers.length);
  });

  it('is no reason to refuse the answer to a write that is done: who cannot have it in YAML has it in JSON', async () => {
    const body = { metadata: { generateName: 'done-' }, data: { a: 'x'.repeat(LARGE_YAML_BYTES) } };
    const answers = await Promise.all(
      Array.from({ length: 3 * MAX_WAITING_YAML }, () =>
        server.call('POST', MAPS, { body, headers: { accept: 'application/yaml' } }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const types = new Set(answers.map(({ headers }) => headers['content-type']));
    expect(types).toEqual(new Set(['application/yaml', 'application/json']));
  });
});
