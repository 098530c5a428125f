// Spellings of image names and their normal form.
import { describe, expect, it } from 'vitest';
import { imageNameRefusal, normalizeImageName } from './image-name.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('image names', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['shop/payment:1', 'docker.io/shop/payment:1'],
    ['docker.io/shop/payment:1', 'docker.io/shop/payment:1'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/a/b:v1.2_3', 'localhost:5000/a/b:v1.2_3'],
    ['quay.io/a/b__c', 'quay.io/a/b__c:latest'],
    [`a/b@${DIGEST}`, `docker.io/a/b@${DIGEST}`],
    [`a/b:1@${DIGEST}`, `docker.io/a/b@${DIGEST}`],
  ])('reads %s', (text, normal) => {
    expect(normalizeImageName(text)).toBe(normal);
  });

  it.each([
    '',
    'UPPER/case',
    'a//b',
    '/a',
    'a:',
    'a b',
    '../etc',
    'a@sha256:12',
    `a@${DIGEST}@${DIGEST}`,
    'x'.repeat(300),
  ])('refuses "%s"', (text) => {
    expect(normalizeImageName(text)).toBeUndefined();
  });

  it.each([
    ['Shop/CAPS:9', ': repository name (CAPS) must be lowercase'],
    ['Nginx', ': repository name (library/Nginx) must be lowercase'],
    ['shop/Pay', ': repository name (shop/Pay) must be lowercase'],
    [`quay.io/a/B:1@${DIGEST}`, ': repository name (quay.io/a/B) must be lowercase'],
    ['a b', ''],
    ['A b', ''],
    ['shop/pay:', ''],
  ])('says what is wrong with %s', (text, what) => {
    expect(imageNameRefusal(text)).toBe(`invalid reference format${what}`);
  });
});
