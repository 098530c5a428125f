// The key of ServiceAccount tokens on disk: made once, for its owner's eyes, and kept.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UsageError } from './data-directory.ts';
import { ensureTokenKey, loadTokenKey, tokenSigner } from './token-key.ts';

const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString();

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'token-key-'));
  file = join(folder, 'sa.key');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is made once, readable by its owner alone, and signs what it reads later', () => {
  ensureTokenKey(folder);
  const pem = readFileSync(file, 'utf8');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  ensureTokenKey(folder);
  expect(readFileSync(file, 'utf8')).toBe(pem);
  const about = { namespace: 'shop', account: { name: 'robot', uid: '1' }, secret: 'kept' };
  const said = loadTokenKey(folder).read(tokenSigner(folder)(about));
  expect(said?.['sub']).toBe('system:serviceaccount:shop:robot');
});

it('that is gone, broken or of another kind is told of in one line, with the way out', () => {
  const refusal = () => {
    try {
      loadTokenKey(folder);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const oneLine =
    /^the key of ServiceAccount tokens \S+sa\.key cannot be used \([^\n]*\); restore it[^\n]*$/;
  for (const write of [
    () => undefined,
    () => writeFileSync(file, 'no key'),
    () => writeFileSync(file, ''),
    () => writeFileSync(file, pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)),
  ]) {
    write();
    expect(refusal()).toBeInstanceOf(UsageError);
    expect((refusal() as Error).message).toMatch(oneLine);
  }
});
