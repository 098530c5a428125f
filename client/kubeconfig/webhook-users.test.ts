// Users of a kubeconfig by the names of webhooks: each way to sign in, and in one line what cannot be done.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { TOKEN_KEPT_MS } from './token-file.ts';
import { loadWebhookUsers } from './webhook-users.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\n';

let folder: string;
let clock: VirtualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'webhook-users-'));
  clock = new VirtualClock();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(text: string) {
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, text);
  return loadWebhookUsers(path, clock);
}
const user = (fields: object, name = 'hook.shop.svc') =>
  load(JSON.stringify({ kind: 'Config', users: [{ name, user: fields }] }));
const headerOf = async (fields: object) =>
  (await user(fields)).get('hook.shop.svc')?.authorization?.();

it('has certificates from files beside it, and from itself', async () => {
  writeFileSync(join(folder, 'hook.crt'), PEM);
  writeFileSync(join(folder, 'hook.key'), KEY);
  const files = { 'client-certificate': 'hook.crt', 'client-key': 'hook.key' };
  expect((await user(files)).get('hook.shop.svc')).toMatchObject({ cert: PEM, key: KEY });
  const data = (text: string) => Buffer.from(text).toString('base64');
  const inline = { 'client-certificate-data': data(PEM), 'client-key-data': data(KEY) };
  expect((await user(inline)).get('hook.shop.svc')).toMatchObject({ cert: PEM, key: KEY });
});

it('has tokens and passwords', async () => {
  expect(await headerOf({ token: 'secret' })).toBe('Bearer secret');
  expect(await headerOf({ username: 'jane', password: 'ü:x' })).toBe(
    `Basic ${Buffer.from('jane:ü:x').toString('base64')}`,
  );
  expect(await headerOf({})).toBeUndefined();
});

it('follows the file of a token, which counts before one that is written down', async () => {
  const file = join(folder, 'token');
  writeFileSync(file, 'first\n');
  const users = await user({ tokenFile: 'token', token: 'old' });
  const header = () => users.get('hook.shop.svc')?.authorization?.();
  expect(await header()).toBe('Bearer first');
  writeFileSync(file, 'second\n');
  expect(await header()).toBe('Bearer first');
  await clock.advance(TOKEN_KEPT_MS);
  expect(await header()).toBe('Bearer second');
  rmSync(file);
  await clock.advance(TOKEN_KEPT_MS);
  await expect(header()).rejects.toThrow(/tokenFile: ENOENT/);
});

it('takes the user of the current context for everybody, unless somebody is', async () => {
  const file = (name: string) => `
current-context: here
contexts: [{name: here, context: {user: me}}]
users: [{name: me, user: {token: mine}}, {name: "${name}", user: {token: theirs}}]`;
  expect(await (await load(file('else'))).get('*')?.authorization?.()).toBe('Bearer mine');
  expect(await (await load(file('*'))).get('*')?.authorization?.()).toBe('Bearer theirs');
  expect((await load('users: []')).get('*')).toBeUndefined();
});

it.each([
  '',
  'current-context: ""\n',
  'current-context: a\ncontexts: [{name: a, context: {user: ""}}]\n',
])('shows nobody the credentials of a user without a name (%j)', async (context) => {
  const users = await load(`${context}users: [{user: {token: secret}}]`);
  expect(users.get('*')).toBeUndefined();
});

it.each([
  ['users: [', /kubeconfig .*\/kubeconfig: it is not YAML/],
  ['users: [{name: a}, {name: a}]', /two users are named "a"/],
  ['users: [{name: a, user: {exec: {command: x}}}]', /user "a" has exec, .* give a client-certif/],
  ['users: [{name: a, user: {as: root}}]', /user "a" has as, which webhooks are not called with/],
  ['users: [{name: a, user: {token: x, username: y}}]', /leave one of them out/],
  ['users: [{name: a, user: {client-key: k}}]', /user "a": client-key: ENOENT/],
  ['users: [{name: a, user: {client-key-data: AAAA}}]', /client-key-data is not PEM/],
  ['users: [{name: a, user: {tokenFile: gone}}]', /user "a": tokenFile: ENOENT/],
  ['users: [{name: a, user: {token: 7}}]', /token is not a text/],
])('refuses %s', async (text, why) => {
  await expect(load(text)).rejects.toThrow(why);
});
